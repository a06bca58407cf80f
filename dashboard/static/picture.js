/* A picture map and what stands beside it: what is pointed at or pressed in one is so in the other. An area is chosen by
   its link, which static/shell.js follows. */
(function () {
  "use strict";
  if (window.tactPicture) return;
  window.tactPicture = true;

  function areaAt(event) {
    const at = event.target.closest && event.target.closest(".stMain [data-area]");
    return at ? at.getAttribute("data-area") : "";
  }

  let pointed = "";
  document.addEventListener("mouseover", function (event) {
    const area = areaAt(event);
    if (area === pointed) return;
    pointed = area;
    document.querySelectorAll(".stMain [data-area]").forEach(function (one) {
      one.classList.toggle("pointed", area !== "" && one.getAttribute("data-area") === area);
    });
  });

  /* Streamlit lets no SVG through, so a picture comes as text of an attribute. It is our own, with escaped words. */
  let waiting = false;
  function drawPictures() {
    waiting = false;
    const choices = document.querySelector(".stMain .areas[data-chosen]");
    const chosen = choices ? choices.getAttribute("data-chosen") : "";
    // Rows are marked here too, so that a list is not sent again when an area is chosen.
    document.querySelectorAll(".picture .area, .ranking tr[data-area]").forEach(function (area) {
      const isChosen = chosen !== "" && area.getAttribute("data-area") === chosen;
      area.classList.toggle("chosen", isChosen);
      const link = area.querySelector("a");
      if (link && isChosen) link.setAttribute("aria-current", "true");
      else if (link) link.removeAttribute("aria-current");
    });
    document.querySelectorAll("[data-svg]").forEach(function (place) {
      const text = place.getAttribute("data-svg");
      place.removeAttribute("data-svg");
      const picture = new DOMParser().parseFromString(text, "image/svg+xml").documentElement;
      picture.querySelectorAll("[data-words]").forEach(function (area) {
        const words = document.createElementNS(picture.namespaceURI, "title");
        words.textContent = area.getAttribute("data-words");
        area.append(words);
      });
      place.prepend(document.importNode(picture, true));
    });
  }
  new MutationObserver(function () {
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(drawPictures);
  }).observe(document.body, { childList: true, subtree: true });
  drawPictures();

  document.addEventListener("click", function (event) {
    if (event.target.closest && event.target.closest("a, button")) return;
    const area = areaAt(event);
    const choice = area && document.querySelector(".areas [data-choice='" + CSS.escape(area) + "']");
    if (choice) choice.click();
  });
})();
