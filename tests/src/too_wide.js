// The elements that make the page scroll sideways, with the width by which they stand out; none if it doesn't.
const width = document.documentElement.clientWidth;
if (document.documentElement.scrollWidth <= width) return [];
return [...document.querySelectorAll("body *")]
  .filter((element) => element.getBoundingClientRect().right > width + 1)
  .slice(0, 5)
  .map((element) => {
    const over = Math.round(element.getBoundingClientRect().right - width);
    return `${element.tagName.toLowerCase()}.${element.className} +${over}px`;
  })
  .concat(`page: ${document.documentElement.scrollWidth} > ${width}`);
