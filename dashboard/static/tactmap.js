/* The map in its frame, or in an atlas. Shapes are fetched once (an atlas has them as `documents`) and drawn on a
   canvas; afterwards only values arrive, through tactmap.update. Nothing here builds HTML from text: text goes into textContent. */
(function () {
  "use strict";

  // Relative to the component's own page, so that it holds under any base path.
  const HOME = "../../";
  const INK = "#1D2433";
  const ACCENT = "#0F6B66";
  const COLOURS = {
    known: "#E9E5DA",
    areaBorder: "#FFFFFF",
    regionBorder: "#8D94A0",
    countryBorder: "#3B4252",
    pattern: "#7C8593",
  };
  // The ground around the areas. These are light by day and by night, as their scales and patterns are made for it.
  const LIGHT = { land: "#F1F0EC", border: "#D5D8DC" };
  const DARK = { land: "#232B35", border: "#39434F" };
  const STATES = { f: "few", a: "almost_none", s: "not_searched", z: "structural_zero", d: "no_data", g: "no_figure", w: "withheld", c: "cannot_tell" };
  // The gaps between the lines of each class, on bare land and over a fill, which must show between them.
  const HATCH_GAPS = [16, 12, 9, 7, 5.5];
  const WIDE_GAPS = [23, 18, 14, 11, 8.5];
  const HATCH_BORDER = "#7757AF";
  const SMALLEST_CIRCLE = 2.5;
  // Of arrows, in pixels but for the bend, a part of the length: rim, length of a head, how near is pointed at,
  // radius of the loop from a place to itself.
  const ARROW = { bend: 0.16, pieces: 24, rim: 1.3, head: 9, near: 6, loop: 12 };
  const MOTION = !window.matchMedia("(prefers-reduced-motion: reduce)").matches;

  const MAP = {
    center: [39.2, 22], zoom: 6, minZoom: 5, maxZoom: 12, zoomSnap: 0.125, zoomDelta: 0.5, wheelPxPerZoomLevel: 120,
    zoomControl: false, attributionControl: false, preferCanvas: true,
    // Wide enough never to move the view that both countries need on a large screen.
    maxBounds: [[15, -30], [60, 75]], maxBoundsViscosity: 0.8,
  };

  const shell = window.parent.tactshell;
  let map, options, over, lines, hatches, circles, arrows, names, chosen, hovered, tip;
  let current = null;
  let drawn = null;
  let hits = [];
  let fitted = null;
  const documents = new Map();

  /* ---- small helpers ------------------------------------------------------------------------------ */

  function element(name, className, text) {
    const made = document.createElement(name);
    if (className) made.className = className;
    if (text !== undefined) made.textContent = text;
    return made;
  }

  function pattern(size, draw, ground) {
    const scale = 2;
    const tile = document.createElement("canvas");
    tile.width = tile.height = Math.round(size * scale);
    const context = tile.getContext("2d");
    context.scale(tile.width / size, tile.height / size);
    if (ground) {
      context.fillStyle = ground;
      context.fillRect(0, 0, size, size);
    }
    draw(context, size);
    const made = context.createPattern(tile, "repeat");
    made.setTransform(new DOMMatrix().scale(size / tile.width, size / tile.height));
    return made;
  }

  function diagonal(context, size, colour, width) {
    context.strokeStyle = colour;
    context.lineWidth = width;
    context.beginPath();
    for (const shift of [-size, 0, size]) {
      context.moveTo(shift - 1, size + 1);
      context.lineTo(shift + size + 1, -1);
    }
    context.stroke();
  }

  function dot(context, x, y, radius) {
    context.beginPath();
    context.arc(x, y, radius, 0, 2 * Math.PI);
    context.fill();
  }

  function fills(strength) {
    function tile(size, draw) {
      return pattern(size, function (context) {
        context.globalAlpha = strength;
        draw(context, size);
      }, "#FFFFFF");
    }
    return {
      few: tile(6, function (context) {
        context.fillStyle = COLOURS.pattern;
        dot(context, 1.5, 1.5, 0.9);
        dot(context, 4.5, 4.5, 0.9);
      }),
      almost_none: tile(7, function (context) {
        context.strokeStyle = COLOURS.pattern;
        context.lineWidth = 0.8;
        context.beginPath();
        context.arc(3.5, 3.5, 1.3, 0, 2 * Math.PI);
        context.stroke();
      }),
      not_searched: tile(6, function (context, size) {
        diagonal(context, size, "#97A0AD", 1.3);
      }),
      structural_zero: tile(6, function (context, size) {
        context.fillStyle = "#B4BBC5";
        context.fillRect(0, 2.6, size, 0.8);
      }),
      no_figure: tile(6, function (context, size) {
        context.fillStyle = "#C3C8D0";
        context.fillRect(2.6, 0, 0.8, size);
      }),
      withheld: tile(6, function (context, size) {
        diagonal(context, size, "#B4BBC5", 0.9);
        context.translate(size, 0);
        context.scale(-1, 1);
        diagonal(context, size, "#B4BBC5", 0.9);
      }),
      cannot_tell: tile(8, function (context) {
        context.strokeStyle = "#97A0AD";
        context.lineWidth = 0.9;
        context.beginPath();
        for (const at of [2, 6]) {
          context.moveTo(at - 1.5, at);
          context.lineTo(at + 1.5, at);
          context.moveTo(at, at - 1.5);
          context.lineTo(at, at + 1.5);
        }
        context.stroke();
      }),
      no_data: "#FFFFFF",
    };
  }

  const FILLS = fills(1);
  // Under the lines of another layer a state's own pattern steps back, or neither could be read.
  const QUIET_FILLS = fills(0.4);

  function split(list) {
    if (list === undefined || list === "") return [];
    return list.split(",").flatMap(function (part) {
      const run = /^(.*)\((\d+)\)$/.exec(part);
      return run ? Array(Number(run[2])).fill(run[1]) : [part];
    });
  }

  function unrolled(marks) {
    return marks.replace(/(.)\((\d+)\)/g, function (_, mark, count) { return mark.repeat(Number(count)); });
  }

  function number(text) {
    return Number(text).toLocaleString(options.language || "en-GB", { maximumFractionDigits: 3 });
  }

  /* ---- shapes ------------------------------------------------------------------------------------- */

  function fetched(address) {
    if (!documents.has(address)) {
      const asked = options.documents ? Promise.resolve(options.documents[address]) : fetch(options.home + address).then(function (answer) {
        if (!answer.ok) throw new Error("no shapes");
        return answer.json();
      });
      documents.set(address, asked);
      // What a broken line kept back is asked for again, when the reader chooses it again.
      asked.catch(function () { documents.delete(address); });
    }
    return documents.get(address);
  }

  function level(name) {
    const spoken = options.language ? "?lang=" + options.language : "";
    return fetched("geometry/" + options.shapes + "/" + name + ".json" + spoken).then(unpacked);
  }

  function unpacked(found) {
    if (!found.areas) {
      found.areas = found.features.map(function (feature, index) {
        const named = feature.properties;
        return {
          c: named.code, n: found.names[index], l: found.local[index], p: found.above[index],
          x: named.centre, g: polygons(feature.geometry),
        };
      });
    }
    return found;
  }

  function polygons(geometry) {
    return geometry.type === "Polygon" ? [geometry.coordinates] : geometry.coordinates;
  }

  function ring(points) {
    return points.map(function (point) { return [point[1], point[0]]; });
  }

  function latlngs(area) {
    return area.g.map(function (polygon) { return polygon.map(ring); });
  }

  function pane(name, order) {
    const made = map.createPane(name);
    made.style.zIndex = order;
    return made;
  }

  function plain(renderer, style) {
    return Object.assign({ renderer: renderer, interactive: false, smoothFactor: 0.6 }, style);
  }

  function drawLand(lands) {
    const renderer = L.canvas({ pane: "tact-land", padding: 0.4 });
    for (const feature of lands.features) {
      const land = L.polygon(latlngs({ g: polygons(feature.geometry) }), plain(renderer, {
        pane: "tact-land", color: ground().border, weight: 1, fillColor: ground().land, fillOpacity: 1,
      })).addTo(map);
      over.ground.push(land);
      nameLand(feature.properties || {}, land.getBounds());
    }
  }

  function isDark() {
    return Boolean(shell && shell.isDark && shell.isDark());
  }

  function ground() {
    return isDark() ? DARK : LIGHT;
  }

  function paintGround() {
    document.documentElement.classList.toggle("dark", isDark());
    for (const land of over.ground) land.setStyle({ color: ground().border, fillColor: ground().land });
  }

  function nameLand(properties, bounds) {
    const place = properties.label || properties.label_point;
    if (!properties.name || !Array.isArray(place)) return;
    const icon = L.divIcon({ className: "tact-land-name", html: element("span", "", over.words.lands[properties.name] || properties.name), iconSize: [0, 0] });
    const width = bounds.getEast() - bounds.getWest();
    // A small country's name stands in its middle, or it would run over the areas beside it.
    const longitude = width < 4 ? bounds.getCenter().lng : place[0];
    const marker = L.marker([place[1], longitude], { pane: "tact-names", icon: icon, interactive: false, keyboard: false });
    over.lands.push(marker.addTo(map));
  }

  /* Hide the names of neighbouring countries that a control covers, or that run into another name. */
  function placeLandNames() {
    const frame = map.getContainer().getBoundingClientRect();
    const taken = covers();
    for (const marker of over.lands) {
      const name = marker.getElement() && marker.getElement().firstElementChild;
      if (!name) continue;
      const room = box(name, frame.left, frame.top);
      room.min = room.min.add([6, 6]);
      room.max = room.max.subtract([6, 6]);
      const free = !taken.some(function (one) { return one.overlaps(room); });
      name.style.visibility = free ? "" : "hidden";
      if (free) taken.push(room);
    }
  }

  function drawAreas(found) {
    if (drawn && drawn.level === found.level) return;
    if (drawn) drawn.group.remove();
    const group = L.layerGroup();
    if (found.rest) {
      L.polygon(latlngs({ g: polygons(found.rest) }), plain(over.areas, {
        pane: "tact-areas", color: COLOURS.areaBorder, weight: 0.9, fillColor: LIGHT.land, fillOpacity: 1,
      })).addTo(group);
    }
    const shapes = found.areas.map(function (area, index) {
      if (!area.g) return null;
      const shape = L.polygon(latlngs(area), {
        renderer: over.areas, pane: "tact-areas", color: COLOURS.areaBorder, weight: 0.9, opacity: 1,
        fillColor: COLOURS.known, fillOpacity: 1, smoothFactor: 0.6,
      });
      shape.on("mouseover", function () { over.under = index; });
      shape.on("mouseout", function () { if (over.under === index) over.under = null; });
      return shape.addTo(group);
    });
    drawn = { level: found.level, areas: found.areas, shapes: shapes, group: group.addTo(map) };
    over.under = null;
    hover(null);
    listAreas();
  }

  /* ---- values ------------------------------------------------------------------------------------- */

  function readLayer(layer) {
    const marks = unrolled(layer.s || "");
    const one = layer.m !== undefined && !layer.m.includes(",");
    return Object.assign({ labels: [] }, layer, {
      marks: marks,
      zeros: unrolled(layer.zeros || ""),
      values: spread(marks, split(layer.v)),
      margins: one ? [] : spread(marks, split(layer.m)),
      margin: one ? layer.m : "",
    });
  }

  /* Values come for the areas that have a class only; this gives each area its own. */
  function spread(marks, values) {
    let next = 0;
    return Array.from(marks, function (mark) { return isClass(mark) ? values[next++] : undefined; });
  }

  function filled() {
    return current.layers.find(function (layer) { return layer.kind === "fill"; });
  }

  function hatchFill(layer, index) {
    const gaps = filled() ? WIDE_GAPS : HATCH_GAPS;
    const step = Math.min(Number(layer.marks[index]), gaps.length - 1);
    layer.patterns = layer.patterns || {};
    if (!layer.patterns[step]) {
      const gap = gaps[Math.min(gaps.length - 1, step + gaps.length - layer.colours.length)];
      layer.patterns[step] = pattern(gap, function (context, size) {
        // A light edge keeps the lines apart from a dark fill below.
        if (filled()) diagonal(context, size, "rgba(255, 255, 255, 0.8)", 3);
        diagonal(context, size, layer.colours[step], filled() ? 1.3 : 1.1);
      });
    }
    return layer.patterns[step];
  }

  function isClass(mark) {
    return mark >= "0" && mark <= "9";
  }

  function fillOf(index) {
    const fill = filled();
    const first = fill || current.layers[0];
    if (!first) return COLOURS.known;
    const mark = first.marks[index] || "d";
    if (fill && isClass(mark)) return fill.colours[Number(mark)];
    const lined = current.layers.some(function (layer) { return layer.kind === "hatch" && isClass(layer.marks[index]); });
    return STATES[mark] ? (lined ? QUIET_FILLS : FILLS)[STATES[mark]] : COLOURS.known;
  }

  function colourAreas() {
    drawn.shapes.forEach(function (shape, index) {
      if (shape) shape.setStyle({ fillColor: fillOf(index) });
    });
  }

  function drawHatches() {
    hatches.clearLayers();
    for (const layer of current.layers) {
      if (layer.kind !== "hatch") continue;
      drawn.areas.forEach(function (area, index) {
        const mark = layer.marks[index] || "d";
        if (!area.g || !isClass(mark)) return;
        L.polygon(latlngs(area), plain(over.marks, {
          pane: "tact-over", color: HATCH_BORDER, weight: 1, fillColor: hatchFill(layer, index), fillOpacity: 1,
        })).addTo(hatches);
      });
    }
  }

  function drawLines() {
    lines.eachLayer(function (line) { line.bringToFront(); });
    const shown = drawn.level === "municipality";
    (over.regions || []).forEach(function (line) {
      if (shown) line.addTo(lines).bringToFront(); else lines.removeLayer(line);
    });
    (over.countries || []).forEach(function (line) { line.addTo(lines).bringToFront(); });
  }

  function radius(layer, value) {
    if (!(value > 0) || !(layer.largest > 0)) return 0;
    const scale = current.projector ? 1.5 : 1;
    return scale * Math.max(SMALLEST_CIRCLE, layer.most * Math.sqrt(value / layer.largest));
  }

  function drawCircles() {
    const before = new Map(hits.map(function (hit) { return [hit.code, hit.radius]; }));
    circles.clearLayers();
    hits = [];
    for (const layer of current.layers) {
      if (layer.kind !== "circle") continue;
      drawn.areas.forEach(function (area, index) {
        const size = radius(layer, Number(layer.values[index]));
        if (area.x && size) hits.push({ index: index, code: area.c, radius: size, layer: layer, place: L.latLng(area.x[1], area.x[0]) });
      });
    }
    hits.sort(function (one, other) { return other.radius - one.radius; });
    for (const hit of hits) {
      hit.mark = L.circleMarker(hit.place, plain(over.marks, {
        pane: "tact-over", radius: MOTION ? before.get(hit.code) || 0 : hit.radius, color: "#FFFFFF", weight: 1.4,
        fillColor: hit.layer.colours[0], fillOpacity: 0.82,
      })).addTo(circles);
    }
    if (MOTION) grow(hits.slice(), before, performance.now());
  }

  function grow(moving, before, since) {
    function step(now) {
      if (moving.length && moving[0].mark._map === null) return;
      const part = Math.min(1, (now - since) / 220);
      const eased = 1 - Math.pow(1 - part, 3);
      for (const hit of moving) {
        const from = before.get(hit.code) || 0;
        if (from !== hit.radius) hit.mark.setRadius(from + (hit.radius - from) * eased);
      }
      if (part < 1) requestAnimationFrame(step);
    }
    requestAnimationFrame(step);
  }

  /* Arrows bow to their left, so that those there and back stay apart; they are made anew at each zoom. */
  function drawArrows() {
    arrows.clearLayers();
    over.ways = [];
    if (!current) return;
    for (const arrow of current.arrows) {
      drawArrow(arrow.from, arrow.to, arrow.width * (current.projector ? 1.5 : 1), arrow.label, arrow.colour || INK);
      if (arrow.sign) drawSign(over.ways[over.ways.length - 1].curve, arrow.sign);
    }
  }

  function curveOf(start, end, width) {
    const curve = [];
    const across = end.subtract(start);
    const size = ARROW.loop + width;
    const middle = start.add(end).divideBy(2).add(L.point(across.y, -across.x).multiplyBy(ARROW.bend));
    for (let step = 0; step <= ARROW.pieces; step += 1) {
      const part = step / ARROW.pieces;
      const rest = 1 - part;
      const turn = 2 * Math.PI * part;
      curve.push(start.equals(end)
        ? start.add(L.point(Math.sin(turn), Math.cos(turn) - 1).multiplyBy(size))
        : start.multiplyBy(rest * rest).add(middle.multiplyBy(2 * rest * part)).add(end.multiplyBy(part * part)));
    }
    return curve;
  }

  function drawArrow(from, to, width, label, colour) {
    const start = map.project(from);
    const end = map.project(to);
    const curve = curveOf(start, end, width);
    const size = ARROW.head + 1.2 * width;
    const neck = curve.filter(function (point) { return point.distanceTo(end) > size * 0.8; });
    if (!neck.length) neck.push(start);
    const back = neck[neck.length - 1].subtract(end);
    const along = back.divideBy(Math.max(1e-6, Math.hypot(back.x, back.y))).multiplyBy(size);
    const side = L.point(-along.y, along.x).multiplyBy(0.45);
    const head = [end, end.add(along).add(side), end.add(along).subtract(side)].map(toEarth);
    const line = neck.concat([end.add(along.multiplyBy(0.9))]).map(toEarth);
    const rim = { pane: "tact-over", color: "#FFFFFF", opacity: 0.9, lineCap: "butt", smoothFactor: 0 };
    L.polyline(line, plain(over.marks, Object.assign({}, rim, { weight: width + 2 * ARROW.rim }))).addTo(arrows);
    L.polygon(head, plain(over.marks, Object.assign({}, rim, { weight: 2 * ARROW.rim, fill: false }))).addTo(arrows);
    L.polyline(line, plain(over.marks, Object.assign({}, rim, { color: colour, opacity: 1, weight: width }))).addTo(arrows);
    L.polygon(head, plain(over.marks, { pane: "tact-over", stroke: false, fillColor: colour, fillOpacity: 1, smoothFactor: 0 })).addTo(arrows);
    over.ways.push({ curve: curve.map(toEarth), near: ARROW.near + width / 2, label: label });
  }

  function drawSign(curve, sign) {
    const icon = L.divIcon({ className: "tact-sign", iconSize: [0, 0], html: element("span", "", sign) });
    const middle = curve[Math.floor(curve.length / 2)];
    L.marker(middle, { pane: "tact-labels", icon: icon, interactive: false, keyboard: false }).addTo(arrows);
  }

  function toEarth(point) {
    return map.unproject(point);
  }

  function arrowAt(point) {
    return over.ways.find(function (way) {
      const places = way.curve.map(function (one) { return map.latLngToContainerPoint(one); });
      return places.slice(1).some(function (one, at) {
        return L.LineUtil.pointToSegmentDistance(point, places[at], one) <= way.near;
      });
    });
  }

  function outline(group, area, style) {
    group.clearLayers();
    if (!area || !area.g) return;
    L.polygon(latlngs(area), plain(over.marks, Object.assign({ pane: "tact-over", fill: false }, style.under))).addTo(group);
    L.polygon(latlngs(area), plain(over.marks, Object.assign({ pane: "tact-over", fill: false }, style.line))).addTo(group);
  }

  const CHOSEN = { under: { color: "#FFFFFF", weight: 5 }, line: { color: ACCENT, weight: 2.6 } };
  const HOVERED = { under: { color: "#FFFFFF", weight: 3 }, line: { color: INK, weight: 1.4 } };

  function areaOf(code) {
    return drawn.areas.concat(over.coarser).find(function (area) { return area.c === code; });
  }

  function show() {
    colourAreas();
    drawHatches();
    drawLines();
    drawCircles();
    drawArrows();
    nameAreas();
    placeLandNames();
    outline(chosen, areaOf(current.selected), CHOSEN);
    hover(null);
    document.body.classList.toggle("tact-projector", Boolean(current.projector));
    map.getContainer().setAttribute("data-shown", current.id || "");
  }

  /* ---- names -------------------------------------------------------------------------------------- */

  const NAMES_FROM = { region: 7, municipality: 8.75 };

  /* Write the names of areas once there is room for them, those of the larger areas first. */
  function nameAreas() {
    names.clearLayers();
    const zoom = map.getZoom();
    const which = drawn.level === "municipality" || zoom >= NAMES_FROM.municipality ? "municipality" : "region";
    if (!current || zoom < NAMES_FROM[which]) return;
    const view = map.getBounds();
    level(which).then(function (found) {
      if (map.getZoom() !== zoom || !map.getBounds().equals(view)) return;
      const taken = [];
      const seen = found.areas.filter(function (area) { return area.g && view.contains([area.x[1], area.x[0]]); });
      for (const area of seen.sort(function (one, other) { return extent(other) - extent(one); })) nameArea(area, taken);
    });
  }

  function extent(area) {
    if (area.extent === undefined) {
      area.extent = Math.max(...boxes(area).map(function (one) { return (one.getNorth() - one.getSouth()) * (one.getEast() - one.getWest()); }));
    }
    return area.extent;
  }

  function nameArea(area, taken) {
    const place = L.latLng(area.x[1], area.x[0]);
    const circle = hits.find(function (hit) { return hit.code === area.c; });
    const down = circle ? circle.radius + 9 : 0;
    const at = map.latLngToContainerPoint(place).add([0, down]);
    const half = L.point(3.4 * area.n.length + 4, 9);
    const room = L.bounds(at.subtract(half), at.add(half));
    if (taken.some(function (one) { return one.overlaps(room); })) return;
    taken.push(room);
    const name = element("span", "", area.n);
    const icon = L.divIcon({ className: "tact-area-name", html: name, iconSize: [0, 0], iconAnchor: [0, -down] });
    L.marker(place, { pane: "tact-labels", icon: icon, interactive: false, keyboard: false }).addTo(names);
  }

  /* ---- pointing ----------------------------------------------------------------------------------- */

  function circleAt(point) {
    for (let i = hits.length - 1; i >= 0; i -= 1) {
      if (map.latLngToContainerPoint(hits[i].place).distanceTo(point) <= hits[i].radius + 1) return hits[i];
    }
    return null;
  }

  function hover(index) {
    if (hovered.index === index) return;
    hovered.index = index;
    outline(hovered.group, index === null ? null : drawn.areas[index], HOVERED);
    if (index === null) tip.hidden = true;
  }

  function words(layer, index) {
    const mark = layer.marks[index] || "d";
    const value = layer.values[index];
    if (STATES[mark]) return layer.words[mark] || STATES[mark];
    if (value === undefined || value === "") return (layer.labels[Number(mark)] || "") + " " + layer.unit;
    const margin = layer.margin || layer.margins[index];
    const text = number(value) + (margin ? " ±" + number(margin) : "") + " " + layer.unit;
    const zero = layer.adjusted && layer.adjusted[layer.zeros[index]];
    return zero ? zero.replace("{number}", text) : text;
  }

  function tell(index, point) {
    const area = drawn.areas[index];
    tip.replaceChildren(element("strong", "", area.n));
    for (const layer of current.layers) {
      const line = element("div", "tact-tip-line");
      if (current.layers.length > 1) line.append(element("span", "tact-tip-title", layer.title));
      line.append(element("span", "", words(layer, index)));
      tip.append(line);
    }
    placeTip(point);
  }

  function tellArrow(arrow, point) {
    hover(null);
    tip.replaceChildren(element("div", "tact-tip-line", arrow.label));
    placeTip(point);
  }

  function placeTip(point) {
    tip.hidden = false;
    const size = map.getSize();
    const left = point.x + 16 + tip.offsetWidth > size.x ? point.x - 16 - tip.offsetWidth : point.x + 16;
    const top = Math.min(size.y - tip.offsetHeight - 8, Math.max(8, point.y + 14));
    tip.style.transform = "translate(" + Math.round(left) + "px," + Math.round(top) + "px)";
  }

  function pointed(event) {
    if (!current || !drawn) return;
    const arrow = arrowAt(event.containerPoint);
    if (arrow) {
      tellArrow(arrow, event.containerPoint);
      return;
    }
    const circle = circleAt(event.containerPoint);
    if (!circle && over.under === null) tip.hidden = true;
    const index = circle ? circle.index : over.under;
    hover(index === undefined ? null : index);
    map.getContainer().style.cursor = index === null || index === undefined ? "" : "pointer";
    if (index !== null && index !== undefined) tell(index, event.containerPoint);
  }

  function clicked(event) {
    const circle = drawn && !event.found && circleAt(event.containerPoint || map.latLngToContainerPoint(event.latlng));
    const place = circle ? circle.place : event.latlng;
    // The page hears of a click only where it differs from the last one, be it by a tenth of a millimetre.
    over.nudge = over.nudge ? 0 : 1e-9;
    event.latlng = L.latLng(place.lat, place.lng + over.nudge);
    if (!drawn || event.found) return;
    const index = circle ? circle.index : over.under;
    if (index === null || index === undefined) return;
    outline(chosen, drawn.areas[index], CHOSEN);
    map.fire("tact:area", { code: drawn.areas[index].c });
  }

  /* ---- controls ----------------------------------------------------------------------------------- */

  /* ---- where to look ------------------------------------------------------------------------------ */

  function framed() {
    return !options.documents;
  }

  /* The page that the map is in: that around its frame, or its own. */
  function page() {
    return framed() ? window.frameElement.ownerDocument : document;
  }

  /* What lies over the map, in its own pixels: its controls, and those of the page around the frame. */
  function covers() {
    const own = map.getContainer().getBoundingClientRect();
    const inside = map.getContainer().querySelectorAll(".tact-find, .tact-said:not(:empty), .tact-views, .tact-note, .leaflet-control-zoom");
    const frame = framed() ? window.frameElement.getBoundingClientRect() : own;
    const size = map.getSize();
    return Array.from(inside).map(function (part) { return box(part, own.left, own.top); })
      .concat(partsOfPage().map(function (part) { return box(part, frame.left, frame.top); }))
      .filter(function (one) { return one.min.x < size.x && one.min.y < size.y && one.max.x > 0 && one.max.y > 0; });
  }

  /* The parts of the page that may lie over the map. */
  function partsOfPage() {
    return Array.from(page().querySelectorAll(
      ".legend, .headline, .missed, .controls .menu, :is(.st-key-controls, .st-key-mapbox) [role=radiogroup], .st-key-controls [data-testid=stSelectbox]"
    )).filter(function (part) { return part.getClientRects().length > 0; });
  }

  function box(part, left, top) {
    const at = part.getBoundingClientRect();
    return L.bounds([at.left - left - 6, at.top - top - 6], [at.right - left + 6, at.bottom - top + 6]);
  }

  /* Give the centre and the largest zoom at which the parts of a view stand whole and least of them is covered. */
  function best(parts, most) {
    const bounds = parts.reduce(function (all, part) { return all.extend(part); }, L.latLngBounds([]));
    const size = map.getSize();
    const covering = covers();
    function margins(room, side) {
      const wanted = covering.map(side).filter(function (one) { return one > 8 && one < room * 0.6; });
      return Array.from(new Set([8].concat(wanted)));
    }
    let found = null;
    for (const left of margins(size.x, function (one) { return one.max.x; }))
      for (const right of margins(size.x, function (one) { return size.x - one.min.x; }))
        for (const top of margins(size.y, function (one) { return one.max.y; }))
          for (const bottom of margins(size.y, function (one) { return size.y - one.min.y; })) {
            const view = placed(bounds, [left, top, right, bottom], size, most);
            if (!view || (found && found.hidden === 0 && view.zoom <= found.zoom)) continue;
            view.hidden = hidden(parts, view, covering);
            if (!found || view.hidden < found.hidden || (view.hidden === found.hidden && view.zoom > found.zoom)) found = view;
          }
    return found;
  }

  function placed(bounds, margins, size, most) {
    const [left, top, right, bottom] = margins;
    if (size.x - left - right < 80 || size.y - top - bottom < 80) return null;
    const zoom = Math.min(most, map.getBoundsZoom(bounds, false, L.point(left + right, top + bottom)));
    const middle = map.project(bounds.getSouthWest(), zoom).add(map.project(bounds.getNorthEast(), zoom)).divideBy(2);
    const half = size.divideBy(2);
    const corner = middle.add([(right - left) / 2, (bottom - top) / 2]).subtract(half);
    return { zoom: zoom, corner: corner, centre: map.unproject(corner.add(half), zoom) };
  }

  function hidden(parts, view, covering) {
    function placeOf(point) { return map.project(point, view.zoom).subtract(view.corner); }
    return parts.filter(function (part) {
      const at = L.bounds(placeOf(part.getNorthWest()), placeOf(part.getSouthEast()));
      return covering.some(function (one) { return one.overlaps(at); });
    }).length;
  }

  function boxes(area) {
    return latlngs(area).map(function (piece) { return L.latLngBounds(piece[0]); });
  }

  function fit(view, animate) {
    // A country is seen as its regions: their boxes hold less sea, over which a control may lie.
    return level("region").then(function (found) {
      const areas = found.areas.filter(function (area) {
        return area.g && view.codes.some(function (code) { return area.c === code || area.c.startsWith(code + "-"); });
      });
      if (areas.length) goTo(areas.flatMap(boxes), MAP.maxZoom, animate, view);
    });
  }

  /* Fit the first view again for three seconds whenever what the page lays over the map has changed: its controls may
     come after the map. A reader who points at an area already keeps it. */
  function followCovers() {
    let last = "";
    (function look(times) {
      const now = JSON.stringify(partsOfPage().map(function (part) { return part.getBoundingClientRect(); }));
      if (fitted && now !== last && hovered.index === null) fit(fitted, false);
      last = now;
      if (times > 0) setTimeout(look, 250, times - 1);
    })(12);
  }

  /* Show some boxes, as `view` if they are one. The map begins to move without saying so: when it says so, it is
     the reader who moves it. */
  function goTo(parts, most, animate, view) {
    fitted = view || null;
    // A frame that is not laid out yet has no size; the observer fits again as soon as it has one.
    if (map.getSize().x < 50 || map.getSize().y < 50) return;
    // Leaflet forgets where it should go while it still zooms: then it goes there as soon as it stands.
    if (map._animatingZoom) {
      map.once("zoomend", function () { goTo(parts, most, animate, view); });
      return;
    }
    const found = best(parts, most);
    const moving = Boolean(animate) && MOTION;
    map.setView(found.centre, found.zoom, { animate: moving, zoom: { noMoveStart: true }, pan: { noMoveStart: true } });
    // A jump leaves the canvases between two pixels, where they look blurred, until the map says that it stands.
    if (!moving) map.fire("moveend");
  }

  function goControl() {
    const control = L.control({ position: "bottomright" });
    control.onAdd = function () {
      const row = element("div", "tact-go");
      const bar = element("div", "tact-views");
      bar.setAttribute("role", "group");
      bar.setAttribute("aria-label", over.words.views);
      for (const view of over.words.places) {
        const button = element("button", "", view.label);
        button.type = "button";
        button.addEventListener("click", function () { fit(view, true); });
        bar.append(button);
      }
      const form = findBox();
      row.append(over.said, form, bar);
      L.DomEvent.disableClickPropagation(row);
      L.DomEvent.on(row, "keydown keypress dblclick", L.DomEvent.stopPropagation);
      return row;
    };
    return control;
  }

  function noteControl() {
    const control = L.control({ position: "bottomright" });
    control.onAdd = function () { return element("div", "tact-note", over.note); };
    return control;
  }

  function areaLabel(area) {
    return area.p ? area.n + ", " + area.p : area.n;
  }

  /* Letters as people type them: small, without accents. */
  function plainLetters(text) {
    return (text || "").normalize("NFD").replace(/\p{M}/gu, "").toLocaleLowerCase().trim();
  }

  function listAreas() {
    if (!over.list) return;
    const found = [];
    over.named = [];
    drawn.areas.forEach(function (area) {
      if (!area.x) return;
      over.named.push({ area: area, names: [areaLabel(area), area.n, area.l].map(plainLetters) });
      const option = element("option");
      option.value = areaLabel(area);
      if (area.l && area.l !== area.n) option.label = area.l;
      found.push(option);
    });
    over.list.replaceChildren(...found);
  }

  /* Give the area of a name, or the first whose name begins with what was typed, or has a word that does. */
  function areaNamed(text) {
    const typed = plainLetters(text);
    if (!typed) return undefined;
    const ways = [
      function (name) { return name === typed; },
      function (name) { return name.startsWith(typed); },
      function (name) { return name.includes(" " + typed); },
    ];
    for (const way of ways) {
      const found = over.named.find(function (one) { return one.names.some(way); });
      if (found) return found.area;
    }
    return undefined;
  }

  function findArea(area) {
    if (area.g) goTo(boxes(area), 9, true);
    outline(chosen, area, CHOSEN);
    map.fire("tact:area", { code: area.c });
    map.fire("click", { latlng: L.latLng(area.x[1], area.x[0]), found: true });
  }

  function say(words, plain) {
    over.said.textContent = words;
    over.said.classList.toggle("plain", Boolean(plain));
  }

  function filledIn(words, values) {
    return words.replace(/\{(\w+)\}/g, function (whole, name) { return name in values ? values[name] : whole; });
  }

  /* Ask by all names that are known: of other levels, of other languages, as people write them. */
  function findElsewhere(text) {
    if (!framed()) {
      say(over.words.nowhere);
      return;
    }
    const asked = options.home + "geometry/find.json?name=" + encodeURIComponent(text.slice(0, 80)) + (options.language ? "&lang=" + options.language : "");
    fetch(asked).then(function (answer) {
      if (!answer.ok) throw new Error("no answer");
      return answer.json();
    }).then(function (found) {
      if (found.chains.length > 1) {
        const named = found.chains.map(function (one) { return one[0].name + " (" + one[1].name + ")"; });
        say(filledIn(over.words.several, { areas: named.join(", ") }), true);
        return;
      }
      const chain = found.chains[0] || [];
      const here = chain.findIndex(function (one) { return drawn.areas.some(function (area) { return area.c === one.code && area.x; }); });
      if (here >= 0) {
        findArea(drawn.areas.find(function (area) { return area.c === chain[here].code; }));
        say(here ? filledIn(over.words.inside, { area: chain[0].name, around: chain[here].name }) : "", true);
      } else if (chain.length) {
        const around = areaOf(chain[0].code);
        if (around && around.g) goTo(boxes(around), 9, true);
        say(filledIn(over.words.larger, { area: chain[0].name }), true);
      } else {
        say(over.words.nowhere);
      }
    }).catch(function () { say(over.words.nowhere); });
  }

  function findBox() {
    const form = element("form", "tact-find");
    form.noValidate = true;
    const input = element("input");
    over.said = element("div", "tact-said");
    over.said.setAttribute("role", "status");
    over.list = element("datalist");
    over.list.id = "tact-areas-list";
    input.type = "search";
    input.placeholder = over.words.find;
    input.setAttribute("aria-label", over.words.find);
    input.setAttribute("list", over.list.id);
    input.autocomplete = "off";
    form.append(input, over.list);
    form.addEventListener("submit", function (event) {
      event.preventDefault();
      const area = areaNamed(input.value);
      say("");
      if (area) findArea(area);
      else if (input.value.trim()) findElsewhere(input.value.trim());
    });
    input.addEventListener("input", function (event) {
      say("");
      const picked = !event.inputType || event.inputType === "insertReplacementText";
      const area = picked && areaNamed(input.value);
      if (area) findArea(area);
      if (area) input.blur();
    });
    return form;
  }

  function fail(error) {
    console.error(error);
    const box = element("div", "tact-failed", over.words ? over.words.failed : "The map could not be loaded. Reload the page.");
    box.setAttribute("role", "alert");
    map.getContainer().append(box);
  }

  /* ---- what the page calls ------------------------------------------------------------------------ */

  function outlines(found, style) {
    return found.areas.filter(function (area) { return area.g; }).map(function (area) {
      return L.polygon(latlngs(area), plain(over.marks, Object.assign({ pane: "tact-over", fill: false }, style)));
    });
  }

  function prepare() {
    const wanted = [
      level("country"), level("region"), fetched("geometry/land.json"), fetched("geometry/words/" + (options.language || "en") + ".json"),
    ];
    return Promise.all(wanted).then(function (found) {
      over.note = found[0].source;
      over.words = found[3];
      map.getContainer().lang = options.language || "en"; // capitals of Greek have no accents
      addControls();
      over.countries = [L.polyline(found[0].borders.coordinates.map(ring), plain(over.marks, {
        pane: "tact-over", color: COLOURS.countryBorder, weight: 1.3,
      }))];
      over.coarser = found[1].areas.concat(found[0].areas);
      over.regions = outlines(found[1], { color: COLOURS.regionBorder, weight: 0.9 });
      drawLand(found[2]);
      return look();
    });
  }

  /* Look at the place in the page's address, else at both countries. */
  function look() {
    const place = /^(-?\d+(?:\.\d+)?),(-?\d+(?:\.\d+)?),(\d+(?:\.\d+)?)$/.exec(shell && !options.within ? shell.readPlace() : "");
    if (!place) return fit(over.words.places[0], false);
    map.setView([Number(place[1]), Number(place[2])], Number(place[3]), { animate: false });
    return undefined;
  }

  /* Write where a reader looks into the page's address, which opens the same view for everybody. */
  function notePlace() {
    if (!shell || options.within || !current) return;
    const at = map.getCenter();
    shell.writePlace(fitted === over.words.places[0] ? "" : [at.lat.toFixed(3), at.lng.toFixed(3), map.getZoom()].join(","));
  }

  function addControls() {
    map.getContainer().setAttribute("aria-label", over.words.map);
    noteControl().addTo(map);
    goControl().addTo(map);
    L.control.zoom({ position: "bottomright" }).addTo(map);
  }

  /* Bars have their words together: the slider, which lies over the bars of time, shows those of the bar below the
     pointer, and a bar of the panel its own. */
  function tellBars() {
    const page = window.frameElement.ownerDocument;
    function pointedAt(event) {
      const small = event.target.closest && event.target.closest(".bars.counts i");
      if (small) {
        const words = (small.parentElement.getAttribute("aria-label") || "").split("; ");
        small.title = words[Array.prototype.indexOf.call(small.parentElement.children, small)] || "";
      }
      const slider = event.target.closest && event.target.closest("[class*=st-key-c-period]");
      if (!slider) return;
      const bars = page.querySelector(".bars.time");
      const place = bars ? Array.from(bars.children).findIndex(function (bar) {
        const at = bar.getBoundingClientRect();
        return event.clientX >= at.left && event.clientX <= at.right;
      }) : -1;
      slider.title = place < 0 ? "" : bars.dataset.words.split("\n")[place];
    }
    page.addEventListener("mousemove", pointedAt);
    window.addEventListener("pagehide", function () { page.removeEventListener("mousemove", pointedAt); });
  }

  /* Buttons that stand in the page's own words: they fold the legend, which stays so in this browser, and go back
     from an area by the panel's button, which may be out of view. */
  function serveButtons() {
    const page = window.frameElement.ownerDocument;
    const memory = "tact-legend-folded";
    function fold(folded) {
      page.documentElement.classList.toggle("tact-folded", folded);
    }
    function pressed(event) {
      const button = event.target.closest && event.target.closest("button.fold, button.unfold, button.back");
      if (!button) return;
      if (button.className === "back") {
        const clear = page.querySelector(".st-key-c-clear button");
        if (clear) clear.click();
        return;
      }
      const folded = button.className === "fold";
      fold(folded);
      try { window.localStorage.setItem(memory, folded ? "1" : ""); } catch (error) { /* It is then forgotten. */ }
      const other = page.querySelector(folded ? "button.unfold" : "button.fold");
      if (other) other.focus();
    }
    try { fold(window.localStorage.getItem(memory) === "1"); } catch (error) { fold(false); }
    page.addEventListener("click", pressed);
    window.addEventListener("pagehide", function () { page.removeEventListener("click", pressed); });
  }

  /* Name and number of the panel in a line of their own, for projectors and phones, where the panel is not in view.
     The map may be there before the panel. */
  function mirrorPanel() {
    const page = window.frameElement.ownerDocument;
    const line = page.createElement("div");
    line.className = "headline";
    const observer = new window.parent.MutationObserver(mirror);
    const waiting = new window.parent.MutationObserver(begin);
    let panel = null;
    function begin() {
      const stage = page.querySelector(".st-key-stage");
      panel = page.querySelector(".st-key-panel");
      if (!stage || !panel) return;
      waiting.disconnect();
      stage.append(line);
      observer.observe(panel, { childList: true, subtree: true, characterData: true });
      mirror();
    }
    function mirror() {
      const shown = [".panel h2", ".own .numbers", ".own h3", ".own .unit"].map(function (part) { return panel.querySelector(part); });
      line.replaceChildren(...shown.filter(Boolean).map(function (part) { return part.cloneNode(true); }));
      const clear = panel.querySelector(".st-key-c-clear button");
      if (!clear) return;
      const back = page.createElement("button");
      back.className = "back";
      back.textContent = clear.textContent;
      line.append(back);
    }
    waiting.observe(page.body, { childList: true, subtree: true });
    begin();
    window.addEventListener("pagehide", function () { waiting.disconnect(); observer.disconnect(); line.remove(); });
  }

  /* What a reader does on the map is a step of the page; a step back may lead to another place on the map. */
  function followPage() {
    if (!shell) return;
    map.getContainer().addEventListener("pointerdown", shell.touch, true);
    map.getContainer().addEventListener("keydown", shell.touch, true);
    // Before the words are there nothing is shown; `prepare` looks at the place by itself.
    function follow() { if (over.words) look(); }
    const mark = showPointer();
    window.parent.addEventListener("popstate", follow);
    window.parent.addEventListener("tact:place", follow);
    window.parent.addEventListener("tact:pointer", mark);
    const unfollow = shell.followTheme(paintGround);
    window.addEventListener("pagehide", function () {
      window.parent.removeEventListener("popstate", follow);
      window.parent.removeEventListener("tact:place", follow);
      window.parent.removeEventListener("tact:pointer", mark);
      unfollow();
    });
  }

  /* In a meeting the presenter points, and the others see where; return what moves the mark. */
  function showPointer() {
    const mark = element("div", "tact-pointer");
    let place = null;
    mark.hidden = true;
    map.getContainer().append(mark);
    function draw() {
      mark.hidden = !place;
      if (!place) return;
      const point = map.latLngToContainerPoint(place);
      mark.style.transform = "translate(" + Math.round(point.x) + "px, " + Math.round(point.y) + "px)";
    }
    map.on("move zoomend", draw);
    map.on("mousemove", function (event) { shell.point([event.latlng.lat, event.latlng.lng]); });
    map.on("mouseout", function () { shell.point(null); });
    return function (event) {
      place = event.detail;
      draw();
    };
  }

  function start(id, given) {
    map = L.map(id, MAP);
    options = Object.assign({ home: HOME }, given);
    // Within a page the wheel belongs to the page.
    if (options.within) map.scrollWheelZoom.disable();
    map.getContainer().style.background = "var(--sea)";
    map.getContainer().setAttribute("role", "application");
    pane("tact-land", 200).style.pointerEvents = "none";
    pane("tact-names", 220).style.pointerEvents = "none";
    pane("tact-areas", 400);
    pane("tact-over", 450).style.pointerEvents = "none";
    pane("tact-labels", 460).style.pointerEvents = "none";
    over = {
      areas: L.canvas({ pane: "tact-areas", padding: 0.3 }),
      marks: L.canvas({ pane: "tact-over", padding: 0.3 }),
      under: null,
      lands: [],
      ground: [],
      ways: [],
    };
    hatches = L.layerGroup().addTo(map);
    lines = L.layerGroup().addTo(map);
    circles = L.layerGroup().addTo(map);
    arrows = L.layerGroup().addTo(map);
    names = L.layerGroup().addTo(map);
    hovered = { group: L.layerGroup().addTo(map), index: null };
    chosen = L.layerGroup().addTo(map);
    tip = element("div", "tact-tip");
    tip.hidden = true;
    map.getContainer().append(tip);
    const frame = map.getContainer();
    frame.addEventListener("keydown", function () { frame.classList.add("tact-keys"); });
    frame.addEventListener("mousedown", function () { frame.classList.remove("tact-keys"); });
    map.on("mousemove", pointed);
    map.on("mouseout", function () { hover(null); });
    map.on("click", clicked);
    map.on("moveend", function () { if (current) { nameAreas(); placeLandNames(); notePlace(); } });
    map.on("zoomend", drawArrows);
    map.on("movestart", function () { fitted = null; });
    map.on("zoomstart dragstart", function () { hover(null); });
    new ResizeObserver(function () {
      map.invalidateSize({ animate: false });
      if (fitted) fit(fitted, false);
    }).observe(map.getContainer());
    if (framed()) {
      tellBars();
      serveButtons();
      // Only the page Map has a panel; the maps within other pages have their words beside them.
      if (!options.within) mirrorPanel();
      followPage();
    }
    paintGround();
    over.ready = prepare();
    over.ready.catch(fail);
    return map;
  }

  function update(values) {
    const wanted = { id: values.id, level: values.level, selected: values.selected, projector: values.projector };
    wanted.layers = values.layers.map(readLayer);
    wanted.arrows = values.arrows || [];
    over.wanted = wanted;
    Promise.all([over.ready, level(wanted.level)]).then(function (found) {
      if (over.wanted !== wanted) return;
      for (const box of map.getContainer().querySelectorAll(".tact-failed")) box.remove();
      drawAreas(found[1]);
      const first = current === null;
      current = wanted;
      show();
      if (first) followCovers();
    }).catch(fail);
  }

  window.tactmap = { start: start, update: update, readLayer: readLayer, words: words, isClass: isClass, gaps: HATCH_GAPS, wideGaps: WIDE_GAPS, smallest: SMALLEST_CIRCLE };
})();
