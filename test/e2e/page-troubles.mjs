/**
 * Runs in a page: all that somebody would have trouble with, as texts.
 *
 * Contrast and target size are those of WCAG 2.2, 1.4.3 and 2.5.8.
 */
export function pageTroubles() {
  const troubles = [];
  const told = (element) => `${element.localName} "${element.textContent.trim().slice(0, 30)}"`;

  if (document.documentElement.scrollWidth > innerWidth) {
    troubles.push(`the page is ${document.documentElement.scrollWidth} px wide on ${innerWidth}`);
  }

  for (const control of document.querySelectorAll("a, button, input:not([type=hidden])")) {
    const label = control.labels?.[0];
    if (control.localName === "input" && label === undefined) troubles.push(`${control.name} has no label`);
    const { width, height } = (label?.contains(control) ? label : control).getBoundingClientRect();
    if (width < 24 || height < 24) troubles.push(`${told(control)} is only ${width} by ${height} px`);
  }

  const channels = (colour) => colour.match(/[\d.]+/g).map(Number);
  const luminance = (colour) => {
    const [red, green, blue] = channels(colour).map((channel) => {
      const part = channel / 255;
      return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };
  const behind = (element) => {
    const colour = getComputedStyle(element).backgroundColor;
    return channels(colour)[3] === 0 ? behind(element.parentElement) : colour;
  };
  for (const element of document.querySelectorAll("body *")) {
    const hasText = [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim() !== "");
    if (!hasText) continue;
    const [light, dark] = [getComputedStyle(element).color, behind(element)].map(luminance).toSorted((a, b) => b - a);
    const contrast = (light + 0.05) / (dark + 0.05);
    if (contrast < 4.5) troubles.push(`${told(element)} has a contrast of only ${contrast.toFixed(2)}`);
  }
  return troubles;
}
