/* What stands around the map of an atlas (dashboard/map/atlas.py): menus, legend, panel, tables, time. The data stand in
   the page as JSON. Nothing here builds HTML from text: text goes into textContent. */
(function () {
  "use strict";

  const MAIN_LEVEL = "region";
  // The order in which the legend names states, as dashboard/map/legend.py has it.
  const STATE_ORDER = ["few", "almost_none", "not_searched", "structural_zero", "withheld", "cannot_tell", "no_figure", "no_data"];

  let data, words, map, parts;
  const names = {};
  const chosen = { layer: 0, choice: 0, over: -1, level: "", grain: "", period: "", area: "" };

  /* ---- small helpers ------------------------------------------------------------------------------ */

  function element(name, className, text) {
    const made = document.createElement(name);
    if (className) made.className = className;
    if (text !== undefined) made.textContent = text;
    return made;
  }

  function read(id) {
    return JSON.parse(document.getElementById(id).textContent);
  }

  function filledIn(text, values) {
    return text.replace(/\{(\w+)\}/g, function (whole, name) { return name in values ? values[name] : whole; });
  }

  function sentence(text) {
    return text ? text[0].toUpperCase() + text.slice(1).replace(/\.$/, "") + "." : "";
  }

  /* ---- the view ----------------------------------------------------------------------------------- */

  function layerOf() {
    return data.layers[chosen.layer];
  }

  function viewsAt(layer, choice) {
    return layer.choices[choice].levels[chosen.level] || [];
  }

  function hasNumbers(view) {
    return Boolean(view.v || view.low);
  }

  function grainsOf(views) {
    return Array.from(new Set(views.map(function (view) { return view.grain || ""; })));
  }

  function ofGrain(views) {
    return views.filter(function (view) { return (view.grain || "") === chosen.grain; });
  }

  /* Keep what the reader chose as far as the layer has it: level, length of period, period. */
  function settle() {
    const layer = layerOf();
    if (!layer.choices[chosen.choice]) chosen.choice = 0;
    const levels = layer.choices[chosen.choice].levels;
    const offered = Object.keys(levels);
    if (!levels[chosen.level]) chosen.level = levels[MAIN_LEVEL] ? MAIN_LEVEL : offered[0];
    const views = levels[chosen.level];
    const grains = grainsOf(views);
    if (!grains.includes(chosen.grain)) chosen.grain = grains[0];
    const listed = ofGrain(views);
    if (!listed.some(function (view) { return view.period === chosen.period; })) {
      const near = listed.filter(function (view) { return chosen.period && view.period && view.period <= chosen.period; }).pop();
      chosen.period = (near || listed.slice().reverse().find(hasNumbers) || listed[listed.length - 1]).period || "";
    }
    const over = data.layers[chosen.over];
    if (over && !(layer.over.includes(over.id) && viewsAt(over, 0).length)) chosen.over = -1;
  }

  function viewOf(layer, choice, period) {
    const views = viewsAt(layer, choice);
    const same = views.find(function (view) { return (view.period || "") === period; });
    if (same) return same;
    // A second layer has its own periods: that with the same start or before it, else its last.
    const before = views.filter(function (view) { return view.period && view.period.slice(0, 10) <= period.slice(0, 10); });
    return before.pop() || views[views.length - 1];
  }

  /* A layer as static/tactmap.js takes it. */
  function described(view) {
    return Object.assign({}, data.styles[view.style], { s: view.s, v: view.v, m: view.m, when: view.when });
  }

  function shownViews() {
    const views = [viewOf(layerOf(), chosen.choice, chosen.period)];
    if (chosen.over >= 0) views.push(viewOf(data.layers[chosen.over], 0, chosen.period));
    return views;
  }

  function show() {
    settle();
    const layers = shownViews().map(described);
    const id = [chosen.layer, chosen.choice, chosen.over, chosen.level, chosen.period, chosen.area].join("|");
    window.tactmap.update({ id: id, level: chosen.level, layers: layers, selected: chosen.area });
    showMenus();
    showTime();
    showLegend(layers);
    showPanel(layers.map(window.tactmap.readLayer));
  }

  /* ---- menus -------------------------------------------------------------------------------------- */

  function option(value, text, picked) {
    const made = element("option", "", text);
    made.value = value;
    made.selected = picked;
    return made;
  }

  function fill(select, groups, picked) {
    const listed = [];
    for (const [group, entries] of groups) {
      const options = entries.map(function (entry) { return option(entry[0], entry[1], String(entry[0]) === String(picked)); });
      if (!group) {
        listed.push(...options);
        continue;
      }
      const made = element("optgroup");
      made.label = group;
      made.append(...options);
      listed.push(made);
    }
    select.replaceChildren(...listed);
    select.parentElement.hidden = select.options.length < 2;
  }

  function menu(name, choose) {
    const label = element("label", "menu", words[name]);
    const select = element("select");
    label.append(select);
    select.addEventListener("change", function () {
      choose(select.value);
      show();
    });
    return select;
  }

  function showMenus() {
    const layer = layerOf();
    fill(parts.layer, [["", data.layers.map(function (one, at) { return [at, one.title]; })]], chosen.layer);
    const groups = new Map();
    layer.choices.forEach(function (choice, at) {
      if (!groups.has(choice.group)) groups.set(choice.group, []);
      groups.get(choice.group).push([at, choice.label]);
    });
    fill(parts.choice, groups, chosen.choice);
    const levels = Object.keys(layer.choices[chosen.choice].levels);
    fill(parts.level, [["", levels.map(function (level) { return [level, data.levels[level]]; })]], chosen.level);
    const overs = data.layers.map(function (one, at) { return [at, one.title, one]; }).filter(function (entry) {
      return layer.over.includes(entry[2].id) && viewsAt(entry[2], 0).length;
    });
    fill(parts.over, [["", [[-1, words.only]].concat(overs)]], chosen.over);
  }

  /* ---- time --------------------------------------------------------------------------------------- */

  function showTime() {
    const views = viewsAt(layerOf(), chosen.choice);
    const grains = grainsOf(views);
    fill(parts.grain, [["", grains.map(function (grain) { return [grain, data.grains[grain] || words.latest]; })]], chosen.grain);
    const listed = ofGrain(views);
    const at = listed.findIndex(function (view) { return (view.period || "") === chosen.period; });
    parts.slider.max = listed.length - 1;
    parts.slider.value = at;
    parts.slider.setAttribute("aria-valuetext", listed[at].when || words.latest);
    parts.when.textContent = listed[at].when || words.latest;
    parts.earlier.disabled = at <= 0;
    parts.later.disabled = at >= listed.length - 1;
    for (const part of [parts.slider, parts.earlier, parts.later]) part.hidden = listed.length < 2;
  }

  function goTo(at) {
    chosen.period = ofGrain(viewsAt(layerOf(), chosen.choice))[at].period || "";
    show();
  }

  function button(className, text, press) {
    const made = element("button", className, text);
    made.type = "button";
    made.addEventListener("click", press);
    return made;
  }

  function step(name, sign, by) {
    const made = button("step", sign, function () { goTo(Number(parts.slider.value) + by); });
    made.setAttribute("aria-label", words[name]);
    return made;
  }

  /* ---- legend, as dashboard/map/legend.py draws it ------------------------------------------------- */

  function showLegend(layers) {
    const filled = layers.some(function (layer) { return layer.kind === "fill"; });
    parts.legend.replaceChildren(...layers.map(function (layer) { return legendOf(layer, filled); }));
    if (layers.length > 1 && data.caution) parts.legend.append(element("p", "beside", data.caution));
  }

  function legendOf(layer, filled) {
    const marks = window.tactmap.readLayer(layer).marks;
    const section = element("section");
    section.append(element("h2", "", layer.title));
    section.append(element("p", "unit", layer.unit + (layer.when ? ", " + layer.when : "")));
    if (layer.kind === "circle") section.append(circles(layer));
    else if (/\d/.test(marks)) section.append(classes(layer, filled));
    const codes = Object.keys(data.states).filter(function (code) { return marks.includes(code); });
    codes.sort(function (one, other) { return STATE_ORDER.indexOf(data.states[one]) - STATE_ORDER.indexOf(data.states[other]); });
    if (codes.length && filled && layer.kind !== "fill") {
      const listed = codes.map(function (code) { return layer.words[code]; }).join(", ");
      section.append(element("p", "without", filledIn(words.without, { states: listed })));
    } else if (codes.length) {
      section.append(rows(codes.map(function (code) { return [element("i", "state-" + data.states[code]), layer.words[code]]; })));
    }
    section.append(element("p", "origin", [sentence(layer.margin), sentence(layer.source)].join(" ").trim()));
    return section;
  }

  function rows(pairs) {
    const list = element("ul", "rows");
    for (const [sample, text] of pairs) {
      const row = element("li");
      row.append(sample, text);
      list.append(row);
    }
    return list;
  }

  function classes(layer, filled) {
    const gaps = (filled ? window.tactmap.wideGaps : window.tactmap.gaps).slice(-layer.colours.length);
    return rows(layer.colours.map(function (colour, at) {
      const sample = element("i", layer.kind === "hatch" ? "hatch" : "");
      if (layer.kind !== "hatch") sample.style.background = colour;
      sample.style.setProperty("--colour", colour);
      sample.style.setProperty("--gap", gaps[at] + "px");
      return [sample, layer.labels[at]];
    }));
  }

  function circles(layer) {
    const list = element("ul", "circles");
    layer.marks.forEach(function (value, at) {
      const radius = Math.max(window.tactmap.smallest, layer.most * Math.sqrt(value / layer.largest));
      const row = element("li", "", layer.labels[at]);
      row.style.setProperty("--size", (2 * radius).toFixed(1) + "px");
      list.append(row);
    });
    return list;
  }

  /* ---- the panel and its tables -------------------------------------------------------------------- */

  function nameOf(code) {
    return names[code] || code;
  }

  /* The words of one area: its number with its margin, its class, or its state. */
  function said(layer, code, unit) {
    const at = data.codes[chosen.level].indexOf(code);
    return at < 0 ? words.none : window.tactmap.words(unit ? layer : Object.assign({}, layer, { unit: "" }), at).trim();
  }

  function showPanel(layers) {
    const layer = layerOf();
    const content = chosen.area ? areaPart(layers) : [element("h2", "", layer.title), element("p", "question", layer.question), element("p", "hint", words.choose)];
    if (layers[0].note) content.push(element("p", "meaning", layers[0].note));
    parts.panel.replaceChildren(...content);
    const head = [words.area].concat(layers.map(function (one) { return layers.length > 1 ? one.title : words.value; }));
    const order = ranked(layers[0]);
    parts.areas.replaceChildren(table(layers[0].title + (layers[0].when ? ", " + layers[0].when : ""), head, order.map(function (code) {
      const pick = button("pick", nameOf(code), function () { choose(code); });
      return [pick].concat(layers.map(function (one) { return said(one, code, false); }));
    })));
  }

  /* Country by country, because numbers of two countries are not compared: areas with a number first, the largest first;
     the others in the order of the areas. */
  function ranked(layer) {
    const values = new Map(data.codes[chosen.level].map(function (code, at) {
      const value = layer.values[at];
      if (value !== undefined && value !== "") return [code, Number(value)];
      return [code, window.tactmap.isClass(layer.marks[at] || "d") ? -1 + Number(layer.marks[at]) / 10 : -2];
    }));
    const lands = data.codes.country.map(nameOf);
    return Array.from(values.keys()).sort(function (one, other) {
      return lands.indexOf(landOf(one)) - lands.indexOf(landOf(other)) || values.get(other) - values.get(one);
    });
  }

  /* The name of the country of an area: what is around the county or region that is around a municipality. */
  function landOf(code) {
    const above = nameOf.above[code] || nameOf(code);
    return nameOf.land[above] || above;
  }

  function areaPart(layers) {
    const content = [element("p", "where", nameOf.above[chosen.area] || ""), element("h2", "", nameOf(chosen.area))];
    for (const layer of layers) {
      const block = element("div", "own");
      block.append(element("h3", "", layer.title + (layer.when ? ", " + layer.when : "")));
      block.append(element("p", "said", said(layer, chosen.area, true)));
      content.push(block);
    }
    const listed = ofGrain(viewsAt(layerOf(), chosen.choice));
    if (listed.length > 1 && data.codes[chosen.level].includes(chosen.area)) content.push(...overTime(listed));
    content.push(button("back", words.back, function () { choose(""); }));
    return content;
  }

  function overTime(listed) {
    const at = data.codes[chosen.level].indexOf(chosen.area);
    const read = listed.map(function (view) { return window.tactmap.readLayer(described(view)); });
    const numbers = read.map(function (layer) { return Number(layer.values[at] || 0); });
    const top = Math.max(...numbers);
    const bars = element("div", "bars counts");
    bars.setAttribute("aria-hidden", "true");
    read.forEach(function (layer, place) {
      const bar = element("i", (listed[place].period || "") === chosen.period ? "now" : "");
      const state = data.states[layer.marks[at]];
      if (state) bar.classList.add("state-" + state);
      else bar.style.height = (top > 0 ? Math.max(4, 100 * numbers[place] / top) : 0) + "%";
      bar.title = layer.when + ": " + said(layer, chosen.area, true);
      bars.append(bar);
    });
    const fold = element("details");
    fold.append(element("summary", "", words.times));
    fold.append(table(nameOf(chosen.area) + ", " + read[0].title, [words.period, words.value], read.map(function (layer) {
      return [layer.when, said(layer, chosen.area, true)];
    })));
    return top > 0 ? [bars, fold] : [fold];
  }

  function table(caption, head, lines) {
    const made = element("table");
    made.append(element("caption", "", caption));
    const top = made.createTHead().insertRow();
    for (const text of head) {
      const cell = element("th", "", text);
      cell.scope = "col";
      top.append(cell);
    }
    const body = made.createTBody();
    for (const line of lines) {
      const row = body.insertRow();
      line.forEach(function (part, at) {
        const cell = element(at ? "td" : "th");
        if (!at) cell.scope = "row";
        cell.append(part);
        row.append(cell);
      });
    }
    return made;
  }

  function choose(code) {
    chosen.area = code;
    show();
  }

  /* ---- the page ----------------------------------------------------------------------------------- */

  function build(main, frame) {
    const stage = element("section", "stage");
    const controls = element("div", "controls");
    const strip = element("section", "strip");
    const side = element("aside", "side");
    const fold = element("details", "areas");
    parts = {
      layer: menu("layer", function (value) { chosen.layer = Number(value); chosen.choice = 0; }),
      choice: menu("choice", function (value) { chosen.choice = Number(value); }),
      level: menu("level", function (value) { chosen.level = value; }),
      over: menu("over", function (value) { chosen.over = Number(value); }),
      grain: menu("grain", function (value) { chosen.grain = value; }),
      slider: element("input"), when: element("output"), earlier: step("earlier", "‹", -1), later: step("later", "›", 1),
      legend: element("div", "legend"), panel: element("div", "panel"), areas: element("div", "scroll"),
    };
    parts.slider.type = "range";
    parts.slider.min = 0;
    parts.slider.setAttribute("aria-label", words.period);
    parts.slider.addEventListener("input", function () { goTo(Number(parts.slider.value)); });
    parts.legend.tabIndex = 0;
    parts.legend.setAttribute("role", "region");
    parts.legend.setAttribute("aria-label", words.legend);
    parts.panel.setAttribute("role", "status");
    controls.append(...[parts.layer, parts.choice, parts.level, parts.over].map(function (select) { return select.parentElement; }));
    strip.append(parts.when, parts.grain.parentElement, parts.earlier, parts.slider, parts.later);
    fold.open = true;
    fold.append(element("summary", "", words.areas), parts.areas);
    side.append(parts.panel, fold);
    stage.append(frame, controls, parts.legend);
    main.append(stage, side, strip);
  }

  function readNames(shapes) {
    nameOf.above = {};
    nameOf.land = {};
    for (const level of Object.keys(data.codes)) {
      const found = shapes["geometry/" + data.shapes + "/" + level + ".json" + (data.language ? "?lang=" + data.language : "")];
      found.features.forEach(function (feature, at) {
        names[feature.properties.code] = found.names[at];
        nameOf.above[feature.properties.code] = found.above[at];
        if (level === "region") nameOf.land[found.names[at]] = found.above[at];
      });
    }
  }

  function serveAbout() {
    const about = document.getElementById("about");
    document.getElementById("about-open").addEventListener("click", function () { about.showModal(); });
  }

  function start(id) {
    const shapes = read("atlas-shapes");
    data = read("atlas-data");
    words = data.words;
    readNames(shapes);
    serveAbout();
    const frame = document.getElementById(id);
    build(frame.parentElement, frame);
    map = window.tactmap.start(id, { shapes: data.shapes, documents: shapes, language: data.language });
    map.on("tact:area", function (event) { choose(event.code); });
    show();
  }

  window.tactatlas = { start: start };
})();
