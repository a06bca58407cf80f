/* The Overview page: what is pointed at or pressed in the map is so in the list, and the other way round. An area is
   chosen by its link, which static/shell.js follows. */
(function () {
  "use strict";
  if (window.tactOverview) return;
  window.tactOverview = true;

  function areaAt(event) {
    const at = event.target.closest && event.target.closest(".st-key-overview [data-area]");
    return at ? at.getAttribute("data-area") : "";
  }

  let pointed = "";
  document.addEventListener("mouseover", function (event) {
    const area = areaAt(event);
    if (area === pointed) return;
    pointed = area;
    document.querySelectorAll(".st-key-overview [data-area]").forEach(function (one) {
      one.classList.toggle("pointed", area !== "" && one.getAttribute("data-area") === area);
    });
  });

  /* Streamlit lets no SVG through, so a picture comes as text of an attribute. It is our own, with escaped words. */
  let waiting = false;
  function drawPictures() {
    waiting = false;
    const row = document.querySelector(".st-key-overview tr.chosen");
    const chosen = row ? row.getAttribute("data-area") : "";
    document.querySelectorAll(".st-key-overview .area").forEach(function (area) {
      area.classList.toggle("chosen", chosen !== "" && area.getAttribute("data-area") === chosen);
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
