// Draws a Plotly figure in the colours of the page's theme. A chart that changes is drawn over, not rebuilt; one whose
// message is the same stays as it is, with what was brushed on it. The message is described in charts.py.

let library = null;

/** Plotly, which the app's own server sends once for all charts. */
function plotly(address) {
  library ??= new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = address;
    script.onload = () => resolve(window.Plotly);
    script.onerror = () => { library = null; reject(new Error(`${address} did not load`)); };
    document.head.appendChild(script);
  });
  return library;
}

/** What Plotly takes for everything that a figure leaves open, from the theme of the page. */
function template(parentElement) {
  const style = getComputedStyle(parentElement);
  const value = (name) => style.getPropertyValue(`--st-${name}`).trim();
  const ink = value("text-color"), ground = value("background-color"), family = value("font");
  const mixed = (share) => mix(ink, ground, share);
  const text = { color: mixed(0.85), family, size: 12 };
  const axis = {
    automargin: true, gridcolor: mixed(0.12), zerolinecolor: mixed(0.12), tickcolor: mixed(0.12), tickfont: text,
    title: { font: { ...text, size: 14 } },
  };
  return {
    layout: {
      font: text, colorway: value("chart-categorical-colors").split(","), paper_bgcolor: ground, plot_bgcolor: ground,
      title: {
        font: { color: ink, family: value("heading-font"), size: 16, weight: 700 }, x: 0, xanchor: "left", pad: { l: 4 },
      },
      legend: { font: text, title: { font: text, side: "top" }, valign: "top" },
      margin: { pad: 8 },
      xaxis: { ...axis, showgrid: false, zeroline: false, title: { ...axis.title, standoff: 20 } },
      yaxis: { ...axis, title: { ...axis.title, standoff: 24 } },
      hoverlabel: { bgcolor: ground, bordercolor: mixed(0.3), font: { ...text, color: ink } },
      coloraxis: { colorbar: { thickness: 16, outlinewidth: 0, tickfont: text } },
    },
  };
}

/** A colour between two others, all as "#rrggbb". */
function mix(ink, ground, share) {
  const parts = (colour) => [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16));
  const behind = parts(ground);
  return `rgb(${parts(ink).map((c, k) => Math.round(share * c + (1 - share) * behind[k])).join(",")})`;
}

/** The toolbar: tools that the chart has no use for are left out, and it can fill the screen. */
function toolbar(brush, file, box) {
  const fill = {
    name: "fullscreen", title: "Fill the screen",
    click: () => document.fullscreenElement ? document.exitFullscreen() : box.requestFullscreen(),
    icon: { width: 16, height: 16, path: "M1 1h5v2H3v3H1zM10 1h5v5h-2V3h-3zM1 10h2v3h3v2H1zM13 10h2v5h-5v-2h3z" },
  };
  const unused = { lasso: "lasso2d", box: "select2d" };
  return {
    displaylogo: false, modeBarButtonsToAdd: [fill],
    modeBarButtonsToRemove: Object.keys(unused).filter((tool) => !brush.includes(tool)).map((tool) => unused[tool]),
    toImageButtonOptions: file,
  };
}

/** What the mouse does on a chart on which nothing, rows by clicks, or rows by boxes and lassos are selected. */
function mode(brush) {
  if (!brush.length) return { clickmode: "none", dragmode: "pan" };
  if (brush.includes("points")) return { clickmode: "event+select", dragmode: "pan", hovermode: "closest" };
  return { clickmode: "event", dragmode: brush.includes("box") ? "select" : "lasso", hovermode: "closest" };
}

/** What was clicked or brushed: the numbers of the rows, and the boxes and lassos in the units of the axes. */
function brushed(event) {
  const first = (value) => Array.isArray(value) ? value[0] : value;
  const lassos = [], boxes = [];
  for (const drawn of event.selections ?? []) {
    if (drawn.type === "rect") boxes.push({ x: [drawn.x0, drawn.x1], y: [drawn.y0, drawn.y1] });
    if (drawn.type !== "path" || !drawn.path) continue;
    const corners = drawn.path.replace(/^M|Z$/g, "").split("L").map((corner) => corner.split(",").map(Number));
    lassos.push({ x: corners.map((corner) => corner[0]), y: corners.map((corner) => corner[1]) });
  }
  const rows = event.points.map((point) => first(point.customdata)).filter((row) => row !== undefined && row !== null);
  return { rows: [...new Set(rows)], boxes, lassos, x: event.points[0]?.x };
}

class Chart {
  constructor(parentElement) {
    this.parentElement = parentElement;
    this.box = document.createElement("div");
    this.box.className = "bridgeviz-chart";
    this.graph = document.createElement("div");
    this.box.appendChild(this.graph);
    parentElement.appendChild(this.box);
    this.text = null;
    this.theme = null;
    this.size = [0, 0];
    this.watch = new ResizeObserver(() => this.draw());
    this.watch.observe(this.box);
  }

  /** Take a message in, and draw it if it says something new. */
  async show(bytes, setTriggerValue) {
    this.report = setTriggerValue;
    const text = new TextDecoder().decode(bytes);
    const theme = template(this.parentElement);
    if (text === this.text && JSON.stringify(theme) === JSON.stringify(this.theme)) return;
    this.text = text;
    this.theme = theme;
    this.message = JSON.parse(text);
    const { alt, figure, library: address } = this.message;
    if (alt) { this.box.role = "figure"; this.box.ariaLabel = alt; }
    this.box.style.height = `${figure.layout.height}px`;
    this.fresh = true;
    try {
      this.Plotly = await plotly(address);
      this.draw();
    } catch (error) {
      this.graph.textContent = "The charts could not be loaded from the server of this app. Reload the page.";
      throw error;
    }
  }

  /** Draw the message if it is new, and again if the place of the chart has another size; a hidden chart waits. */
  draw() {
    const full = document.fullscreenElement === this.box;
    const size = [this.box.clientWidth, full ? this.box.clientHeight : this.message?.figure.layout.height];
    const same = size[0] === this.size[0] && size[1] === this.size[1];
    if (!this.Plotly || !this.graph.isConnected || !size[0] || (same && !this.fresh)) return;
    this.size = size;
    if (!this.fresh) {
      this.Plotly.relayout(this.graph, { width: size[0], height: size[1] });
      return;
    }
    this.fresh = false;
    const { figure, brush, file } = this.message;
    const wanted = JSON.stringify([brush, file]);  // Plotly rebuilds a chart if its toolbar is another object
    if (wanted !== this.wanted) this.toolbar = toolbar(brush, file, this.box);
    this.wanted = wanted;
    const layout = { ...mode(brush), ...figure.layout, width: size[0], height: size[1], template: this.theme };
    this.Plotly.react(this.graph, figure.data, layout, this.toolbar);
    if (this.listening === this.graph.on) return;
    this.listening = this.graph.on;  // Plotly makes another one whenever it rebuilds the chart
    this.graph.on("plotly_selected", (event) => {  // comes empty when what was brushed goes as the chart is drawn over
      if (event?.points.length || event?.selections?.length) this.report("brushed", brushed(event));
    });
    this.graph.on("plotly_deselect", () => { if (this.message.brush.length) this.report("cleared", true); });
  }

  remove() {
    this.watch.disconnect();
    if (this.graph.on) this.Plotly.purge(this.graph);
    this.box.remove();
  }
}

const charts = new WeakMap();

export default function ({ data, parentElement, setTriggerValue }) {
  if (!charts.has(parentElement)) charts.set(parentElement, new Chart(parentElement));
  charts.get(parentElement).show(data, setTriggerValue);
  return () => setTimeout(() => {  // Streamlit also calls this for a message that was overtaken by the next one
    if (parentElement.isConnected) return;
    charts.get(parentElement)?.remove();
    charts.delete(parentElement);
  });
}
