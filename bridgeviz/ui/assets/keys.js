// The arrow keys press the buttons that lead to the step before and to the next one.

const BUTTONS = { ArrowRight: ["reveal", "next"], PageDown: ["reveal", "next"], ArrowLeft: ["back"], PageUp: ["back"] };

export default function ({ parentElement }) {
  if (parentElement.cleanUp) parentElement.cleanUp();
  const press = (event) => {
    if (event.target.closest("input, textarea, select, [role=slider], [role=radio], canvas")) return;
    for (const name of BUTTONS[event.key] ?? []) {
      const button = document.querySelector(`.st-key-lesson_${name} button:not([disabled])`);
      if (button) {
        event.preventDefault();
        button.click();
        return;
      }
    }
  };
  document.addEventListener("keydown", press);
  parentElement.cleanUp = () => document.removeEventListener("keydown", press);
  return parentElement.cleanUp;
}
