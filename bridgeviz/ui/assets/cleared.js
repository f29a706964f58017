// Reports that what was selected on a Plotly chart is cleared. Streamlit reports it only if the selection was made since
// the chart was drawn.

export default function ({ data, parentElement, setTriggerValue }) {
  if (parentElement.cleanUp) parentElement.cleanUp();
  const report = () => setTriggerValue("cleared", true);
  let graph = null;
  const attach = () => {
    const element = document.querySelector(`.${data.chart} .js-plotly-plot`);
    if (!element || element === graph || !element.on) return;
    graph = element;
    graph.on("plotly_deselect", report);
  };
  attach();
  const timer = setInterval(attach, 400);
  parentElement.cleanUp = () => {
    clearInterval(timer);
    if (graph && graph.removeListener) graph.removeListener("plotly_deselect", report);
  };
  return parentElement.cleanUp;
}
