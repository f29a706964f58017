// A button that copies the address of the page, with its settings and its selection.

export default function ({ parentElement }) {
  const button = parentElement.querySelector("button"), label = button.textContent;
  button.onclick = async () => {
    const address = window.location.href;
    try {
      await navigator.clipboard.writeText(address);
    } catch {  // the browser grants the clipboard only to pages of this machine and to encrypted ones
      const field = document.createElement("textarea");
      field.value = address;
      document.body.append(field);
      field.select();
      document.execCommand("copy");
      field.remove();
    }
    button.textContent = "Copied";
    setTimeout(() => { button.textContent = label; }, 1500);
  };
}
