// Shows one cloud at a time: its points in their colours, what each round left, a colour bar and the curve.
"use strict";
const data = JSON.parse(document.getElementById("data").textContent);
const element = (id) => document.getElementById(id);
/** A colour of the page's style, such as "--line". */
const styleColour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const INK = styleColour("--ink"), LINE = styleColour("--line"), ACCENT = styleColour("--accent");
const DROPPED = "#cfd2d7", ROUND_NOW = "#d1495b";
const FONT = {family: getComputedStyle(document.body).fontFamily, size: 11, color: styleColour("--quiet")};
const state = {cloud: 0, view: 0, map: data.map, scale: data.scale, round: 1, ghosts: true, timer: null};

const currentCloud = () => data.clouds[state.cloud];
const currentView = () => currentCloud().views[state.view];
const lookOf = (view) => view.looks[state.map + " " + state.scale];

/** Colours of a text of a code each, as "#rrggbb". */
function decodeColours(text) {
  const palette = data.palettes[state.map], {length, base} = data.code, found = [];
  for (let at = 0; at < text.length; at += length) found.push(palette[parseInt(text.substr(at, length), base)]);
  return found;
}

function decodeHeat(text) {
  const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0)), view = new DataView(bytes.buffer);
  return Array.from({length: bytes.length / 4}, (_, point) => view.getFloat32(4 * point, true));
}

/** The colour of a point's rim, which sets it off from points of the same colour behind it. */
function darker(colour) {
  const part = (at) => Math.round(0.72 * parseInt(colour.substr(at, 2), 16)).toString(16).padStart(2, "0");
  return "#" + [1, 3, 5].map(part).join("");
}

/** A number with as many significant digits as in the pictures. */
function rounded(value) {
  const size = Math.abs(value), digits = data.significantDigits;
  return size !== 0 && (size < 1e-4 || size >= 1e5) ? value.toExponential(digits - 1)
    : String(Number(value.toPrecision(digits)));
}

/**
 * Plotly's size for points that fill their picture but leave gaps. Plotly draws a point as the letter below in the
 * browser's font, four times as large as the size says: so it takes the font to know how many pixels that makes.
 */
function pointSize() {
  const {clientWidth, clientHeight} = element("cloud"), brush = document.createElement("canvas").getContext("2d");
  brush.font = "64px normal";
  const letter = brush.measureText("\u25cf"), height = letter.actualBoundingBoxAscent + letter.actualBoundingBoxDescent;
  const side = Math.min(clientWidth, 1.5 * clientHeight) / Math.sqrt(currentCloud().points.length / 3);
  return Math.max(3, Math.min(16, 0.35 * side)) / (4 * (height / 64 || 0.75));
}

/** Says of each point whether the round still has it. */
function keptPoints() {
  const removed = currentView().removed;
  return Array.from({length: currentCloud().points.length / 3},
    (_, point) => !(removed[point] > 0 && removed[point] < state.round));
}

function hoverText(point) {
  const removed = currentView().removed[point];
  return "heat " + rounded(currentView().values[point]) + ", point " + point +
    (removed > 0 ? "<br>dropped in round " + removed : currentView().rounds.length > 1 ? "<br>never dropped" : "");
}

/** The arrays of the two traces: the points that are left in their colours, and the dropped ones. */
function traces() {
  const view = currentView(), {axes} = placesOf(currentCloud()), kept = keptPoints(), size = pointSize();
  view.values = view.values || decodeHeat(view.heat);
  const colours = decodeColours(lookOf(view).colours), all = kept.map((_, point) => point);
  const pick = (values, chosen) => chosen.map((point) => values[point]);
  const hoverlabel = {bgcolor: "#fff", bordercolor: LINE, font: Object.assign({}, FONT, {size: 12, color: INK})};
  const trace = (chosen, marker) => ({
    type: "scatter3d", mode: "markers", x: pick(axes[0], chosen), y: pick(axes[1], chosen), z: pick(axes[2], chosen),
    customdata: chosen, text: chosen.map(hoverText), hoverinfo: "text",
    marker: Object.assign({opacity: 1}, marker), hoverlabel, showlegend: false});
  const left = all.filter((point) => kept[point]), dropped = state.ghosts ? all.filter((point) => !kept[point]) : [];
  const shown = pick(colours, left);
  return [trace(left, {size, color: shown, line: {width: 1, color: shown.map(darker)}}),
          trace(dropped, {size: 0.45 * size, color: DROPPED, line: {width: 0}})];
}

function sceneLayout() {
  const {middle, extent, unit} = placesOf(currentCloud());
  const axis = (number) => ({visible: false, showspikes: false,
    range: [middle[number] - extent[number] / 2, middle[number] + extent[number] / 2]});
  const ratio = (number) => extent[number] / unit;
  return {
    margin: {l: 0, r: 0, t: 0, b: 0}, paper_bgcolor: "#fff", font: FONT, hovermode: "closest", uirevision: state.cloud,
    scene: {xaxis: axis(0), yaxis: axis(1), zaxis: axis(2), aspectmode: "manual", dragmode: "turntable",
      aspectratio: {x: ratio(0), y: ratio(1), z: ratio(2)}, camera: currentCamera(), uirevision: state.cloud}};
}

function drawCloud() {
  const reset = {name: "reset", title: "Reset the view", icon: Plotly.Icons.home,
    click: () => Plotly.relayout("cloud", {"scene.camera": firstCamera()})};
  return Plotly.react("cloud", traces(), sceneLayout(), {responsive: true, displaylogo: false, scrollZoom: true,
    modeBarButtons: [["toImage", reset]], toImageButtonOptions: {scale: 2, filename: "heat"}});
}

function drawBar() {
  const look = lookOf(currentView()), colours = decodeColours(look.bar), isBlackKnown = look.zeroLabel !== null;
  element("barTitle").textContent = look.label;
  element("ramp").hidden = element("ticks").hidden = !colours.length;
  const canvas = element("ramp"), brush = canvas.getContext("2d");
  canvas.height = colours.length || 1;
  colours.forEach((colour, step) => { brush.fillStyle = colour; brush.fillRect(0, colours.length - 1 - step, 1, 1); });
  const middle = look.low < 0 && look.high > 0 ? 0 : (look.low + look.high) / 2;
  const values = look.high > look.low ? [look.high, middle, look.low] : [look.low];
  element("ticks").replaceChildren(...values.map((value) => {
    const tick = document.createElement("span");
    tick.textContent = value === 0 && isBlackKnown ? "> 0" : rounded(value);
    tick.style.top = `${100 * (look.high - value) / ((look.high - look.low) || 1)}%`;
    return tick;
  }));
  element("zeroBox").hidden = element("zeroLabel").hidden = !isBlackKnown;
  element("zeroLabel").textContent = look.zeroLabel || "";
}

const percent = (accuracy) => accuracy === null ? "not measured" : (100 * accuracy).toFixed(1) + " %";

function drawCurve() {
  const rounds = currentView().rounds, measured = rounds.filter((one) => one[2] !== null);
  element("curveBox").hidden = !measured.length;
  if (!measured.length) return;
  const now = rounds[state.round - 1], at = measured.filter((one) => one[0] <= now[0]).pop() || measured[0];
  const axis = (title, range, more) => Object.assign({title: {text: title, standoff: 6}, range, fixedrange: true,
    zeroline: false, gridcolor: LINE, linecolor: LINE, automargin: true}, more);
  const most = rounds[0][1], least = rounds[rounds.length - 1][1], room = 0.05 * (most - least || 1);
  const point = (one) => "round " + one[0] + ": " + one[1] + " points, " + percent(one[2]);
  Plotly.react("curve", [
    {x: measured.map((one) => one[1]), y: measured.map((one) => 100 * one[2]), text: measured.map(point),
      customdata: measured.map((one) => one[0]), hoverinfo: "text", mode: "lines+markers",
      line: {color: ACCENT, width: 1.5}, marker: {size: 4, color: ACCENT}},
    {x: [now[1]], y: [100 * at[2]], mode: "markers", hoverinfo: "skip",
      marker: {size: 11, color: now[2] === null ? "#fff" : ROUND_NOW, line: {width: 2, color: ROUND_NOW}}}],
  {margin: {l: 44, r: 8, t: 6, b: 34}, showlegend: false, font: FONT, hovermode: "closest", paper_bgcolor: "#fff",
    plot_bgcolor: "#fff", xaxis: axis("points left", [most + room, least - room], {nticks: 5}),
    yaxis: axis("", [-4, 106], {tickvals: [0, 50, 100], ticktext: ["0 %", "50 %", "100 %"]}),
    hoverlabel: {bgcolor: "#fff", bordercolor: LINE}}, {responsive: true, displayModeBar: false});
  if (!state.hearsCurve) {
    state.hearsCurve = true;
    element("curve").on("plotly_click", ({points}) => { play(false); change({round: points[0].customdata}); });
  }
}

function drawSteps() {
  const rounds = currentView().rounds, now = rounds[state.round - 1];
  element("steps").hidden = rounds.length < 2;
  if (!now) return;
  element("slider").max = rounds.length;
  element("slider").value = state.round;
  const says = "round " + now[0] + " of " + rounds.length + ": " + now[1] + " points left, accuracy " + percent(now[2]);
  element("slider").setAttribute("aria-valuetext", says);
  element("says").textContent = says;
}

/** Everything of the current cloud, view, colours and round. Resolves when it is drawn. */
function draw() {
  const {caption, views} = currentCloud();
  element("caption").textContent = caption + (views.length > 1 ? "" : ", " + currentView().method);
  drawSteps();
  drawBar();
  drawCurve();
  drawPickers();
  return drawCloud();
}

function change(changes) {
  Object.assign(state, changes);
  const rounds = currentView().rounds.length;
  state.round = Math.max(1, Math.min(state.round, rounds));
  return draw();
}

/** Steps through the rounds, each drawn before the next begins. */
function play(isPlaying) {
  clearTimeout(state.timer);
  state.timer = isPlaying ? setTimeout(() => {
    if (state.round >= currentView().rounds.length) return play(false);
    change({round: state.round + 1}).then(() => state.timer && play(true));
  }, data.millisecondsARound) : null;
  element("play").textContent = isPlaying ? "Pause" : "Play";
}

/** A heading with a row of buttons, or a list where that would be long. */
function picker(heading, names, chosen, choose) {
  const box = document.createElement("div"), title = document.createElement("h2");
  title.textContent = heading;
  const isLong = names.length > 4 || names.join("").length > 24;
  const row = document.createElement(isLong ? "select" : "div");
  box.className = "picker";
  if (!isLong) row.className = "choices";
  row.setAttribute("aria-label", heading);
  names.forEach((name, number) => {
    const one = document.createElement(isLong ? "option" : "button");
    one.textContent = name;
    if (isLong) { one.selected = number === chosen; one.value = number; }
    else {
      one.type = "button";
      one.setAttribute("aria-pressed", number === chosen);
      one.onclick = () => choose(number);
    }
    row.append(one);
  });
  if (isLong) row.onchange = () => choose(Number(row.value));
  box.append(title, row);
  return box;
}

function colourPickers(choose) {
  const {maps, scales} = data;
  return [picker("Colours", maps, maps.indexOf(state.map), (number) => choose({map: maps[number]})),
          picker("Scale", scales, scales.indexOf(state.scale), (number) => choose({scale: scales[number]}))];
}

function drawPickers() {
  const cloud = currentCloud(), found = colourPickers(change);
  // New buttons take the place of the old ones: the keyboard shall stay where it was.
  const focused = element("pickers").contains(document.activeElement) ? document.activeElement : null;
  const all = () => Array.from(element("pickers").querySelectorAll("button, select")), place = all().indexOf(focused);
  if (cloud.views.length > 1) {
    found.unshift(picker("Method", cloud.views.map((view) => view.method), state.view, (view) => change({view})));
  }
  if (data.clouds.length > 1) {
    // The methods of clouds may differ: stay with the same name where there is one.
    const sameMethod = (number) => data.clouds[number].views.findIndex((one) => one.method === currentView().method);
    found.unshift(picker("Cloud", data.clouds.map((one) => one.caption), state.cloud,
                         (number) => change({cloud: number, view: Math.max(0, sameMethod(number))})));
  }
  element("pickers").replaceChildren(...found);
  if (place >= 0 && all()[place]) all()[place].focus();
}

/** Begins the viewer with a cloud and one of its views. */
function startViewer(cloud, view) {
  return change({cloud, view, round: 1}).then(() => {
    if (state.isStarted) return;
    state.isStarted = true;
    window.addEventListener("resize", () => {
      clearTimeout(state.resizing);
      state.resizing = setTimeout(() => element("viewer").hidden || draw(), 150);
    });
    element("slider").oninput = () => { play(false); change({round: Number(element("slider").value)}); };
    element("ghosts").onchange = () => change({ghosts: element("ghosts").checked});
    element("play").onclick = () => {
      if (!state.timer && state.round >= currentView().rounds.length) change({round: 1});
      play(!state.timer);
    };
  });
}

if (!data.isGallery) startViewer(0, 0);
