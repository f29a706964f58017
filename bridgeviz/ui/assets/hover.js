// Shows the picture of the row under the pointer on a Plotly chart. The message is described in pictures.py.

export default function ({ data, parentElement }) {
  if (parentElement.cleanUp) parentElement.cleanUp();
  const side = 84;
  const tip = document.createElement("div");
  tip.className = "bridgeviz-picture";
  Object.assign(tip.style, {
    position: "fixed", display: "none", width: side + "px", height: side + "px", zIndex: 1000000,
    pointerEvents: "none", borderRadius: "6px", border: "2px solid #56B4E9", imageRendering: "pixelated",
    backgroundImage: `url(${data.sheet})`, backgroundSize: `${data.across * side}px ${data.down * side}px`,
    boxShadow: "0 2px 10px rgba(0,0,0,.4)",
  });
  document.body.appendChild(tip);
  const show = (event) => {
    const point = event.points.find((p) => p.customdata !== undefined);
    const row = point && (Array.isArray(point.customdata) ? point.customdata[0] : point.customdata);
    const at = row === undefined ? undefined : data.place ? data.place[String(row)] : row;
    if (at === undefined) { tip.style.display = "none"; return; }
    const x = at % data.across, y = Math.floor(at / data.across);
    tip.style.backgroundPosition = `-${x * side}px -${y * side}px`;
    const mouse = event.event;
    tip.style.left = Math.max(0, mouse.clientX - side - 18) + "px";
    tip.style.top = Math.max(0, mouse.clientY - side - 18) + "px";
    tip.style.display = "block";
  };
  const hide = () => { tip.style.display = "none"; };
  let graph = null, listening = null;
  const attach = () => {
    const element = document.querySelector(`.${data.chart} .js-plotly-plot`);
    if (!element?.on || element.on === listening) return;
    graph = element;
    listening = graph.on;  // Plotly makes another one whenever it rebuilds the chart
    graph.on("plotly_hover", show);
    graph.on("plotly_unhover", hide);
  };
  attach();
  const timer = setInterval(attach, 400);
  parentElement.cleanUp = () => {
    clearInterval(timer);
    if (graph && graph.removeListener) {
      graph.removeListener("plotly_hover", show);
      graph.removeListener("plotly_unhover", hide);
    }
    tip.remove();
  };
  return parentElement.cleanUp;
}
