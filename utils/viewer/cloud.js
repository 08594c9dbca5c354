// The cloud as Plotly draws it: the points that are left as shaded balls in their colours, the dropped ones as dots.
"use strict";
const MOST_BALLS = 8192;  // of more points each is a dot: it would be a few pixels wide
const MOST_ROUND_BALLS = 2048;
const DROPPED_SHARE = 0.45;  // of a point's size
const LIGHTING = {ambient: 0.7, diffuse: 0.5, specular: 0.05, roughness: 0.6, fresnel: 0};
const LIGHT_PLACE = {x: -6e4, y: 1e5, z: 0};  // for whoever looks: above and to the left

/** A ball of radius 1: an icosahedron, each of whose faces is cut into four where it shall be round. */
function ball(isRound) {
  const golden = (1 + Math.sqrt(5)) / 2, size = Math.hypot(1, golden);
  let corners = [[-1, golden, 0], [1, golden, 0], [-1, -golden, 0], [1, -golden, 0], [0, -1, golden], [0, 1, golden],
    [0, -1, -golden], [0, 1, -golden], [golden, 0, -1], [golden, 0, 1], [-golden, 0, -1], [-golden, 0, 1]]
    .map((corner) => corner.map((part) => part / size));
  const faces = [[0, 11, 5], [0, 5, 1], [0, 1, 7], [0, 7, 10], [0, 10, 11], [1, 5, 9], [5, 11, 4], [11, 10, 2],
    [10, 7, 6], [7, 1, 8], [3, 9, 4], [3, 4, 2], [3, 2, 6], [3, 6, 8], [3, 8, 9], [4, 9, 5], [2, 4, 11], [6, 2, 10],
    [8, 6, 7], [9, 8, 1]];
  if (!isRound) return {corners, faces};
  const middles = {}, middle = (a, b) => {
    const name = Math.min(a, b) + " " + Math.max(a, b);
    if (!(name in middles)) {
      const sum = corners[a].map((part, axis) => part + corners[b][axis]), length = Math.hypot(...sum);
      middles[name] = corners.push(sum.map((part) => part / length)) - 1;
    }
    return middles[name];
  };
  return {corners, faces: faces.flatMap(([a, b, c]) => {
    const [ab, bc, ca] = [middle(a, b), middle(b, c), middle(c, a)];
    return [[a, ab, ca], [b, bc, ab], [c, ca, bc], [ab, bc, ca]];
  })};
}

/** The radius of a ball, in the cloud's units: balls fill the picture but leave gaps, as in the pictures. */
function ballRadius(cloud) {
  const [width, height] = seenOf(cloud).slice(0, 2).map((values) => ends(values).reduce((low, high) => high - low));
  const size = [width, height].map((side) => Math.max(side, 0.1));
  const side = Math.sqrt(size[0] * size[1] / (cloud.points.length / 3));
  return Math.min(data.dotSize / 2 * side, 0.02 * Math.max(...size)) * placesOf(cloud).unit;
}

/**
 * Plotly's size for dots as wide as the balls. Plotly draws a dot as the letter below in the browser's font, four times
 * as large as the size says: so it takes the font to know how many pixels that makes.
 */
function dotSize() {
  const {clientWidth, clientHeight} = element("cloud"), brush = document.createElement("canvas").getContext("2d");
  brush.font = "64px normal";
  const letter = brush.measureText("\u25cf"), height = letter.actualBoundingBoxAscent + letter.actualBoundingBoxDescent;
  const side = Math.min(clientWidth, 1.5 * clientHeight) / Math.sqrt(currentCloud().points.length / 3);
  return Math.max(3, Math.min(16, 0.35 * side)) / (4 * (height / 64 || 0.75));
}

function hoverText(point) {
  const view = currentView(), removed = view.removed[point], heat = heatOf(view)[point], lines = [];
  lines.push(heat === 0 ? "no heat" : "heat " + rounded(heat) + ", rank " + ranksOf(view)[point] + " of " +
    view.values.length);
  if (state.by === "round" && state.round > 1) {
    const {round, values} = roundHeat(view, state.round);
    if (round > 1 && values[point] !== null) lines.push("about " + rounded(values[point], 2) + " in round " + round);
  }
  if (view.rounds.length > 1) lines.push(removed > 0 ? "dropped in round " + removed : "never dropped");
  const places = filePlaces(currentCloud());
  lines.push("point " + point + (places ? " of heat.csv, " + places[point] + " of the file" : ""));
  return lines.join("<br>");
}

/** The colour of each point, null where it has none just now, and how much it matters, 0 to 1. */
function pointLooks() {
  const view = currentView(), look = lookOf(view);
  if (state.by === "round") return roundLook(view, state.round);
  if (state.by === "order") {
    return {colours: decodeColours(view.order.colours, "order"), strengths: orderStrengths(view)};
  }
  const scaled = state.scale === "rank" ? rankScale(heatOf(view)) : heatOf(view);
  return {colours: decodeColours(look.colours, state.map), strengths: strengthsOf(scaled, look.range, look.zero)};
}

/** Balls as one mesh; `points` are those of the cloud that it shows. */
function ballTrace(points, colours, strengths, labels) {
  const cloud = currentCloud(), {axes} = placesOf(cloud), radius = ballRadius(cloud);
  const {corners, faces} = ball(cloud.points.length / 3 <= MOST_ROUND_BALLS), many = points.length * corners.length;
  const places = axes.map(() => new Float32Array(many));
  const sides = [0, 1, 2].map(() => new Uint32Array(points.length * faces.length));
  const vertexcolor = new Array(many), text = new Array(many);
  points.forEach((point, ball) => {
    const size = radius * (1 + (data.strongestSize - 1) * strengths[ball]);
    corners.forEach((corner, number) => {
      const at = ball * corners.length + number;
      for (const axis of [0, 1, 2]) places[axis][at] = axes[axis][point] + size * corner[axis];
      vertexcolor[at] = colours[ball];
      text[at] = labels[ball];
    });
    faces.forEach((face, number) => face.forEach((corner, side) => {
      sides[side][ball * faces.length + number] = ball * corners.length + corner;
    }));
  });
  return {type: "mesh3d", x: places[0], y: places[1], z: places[2], i: sides[0], j: sides[1], k: sides[2], vertexcolor,
    text, lighting: LIGHTING, lightposition: LIGHT_PLACE};
}

function dotTrace(points, color, size, text) {
  const [x, y, z] = placesOf(currentCloud()).axes.map((values) => points.map((point) => values[point]));
  return {type: "scatter3d", mode: "markers", x, y, z, text, marker: {color, size, opacity: 1, line: {width: 0}}};
}

/** Plotly's traces: the points that are left, then the dropped ones. Fills `state.shown` for whoever asks. */
function traces() {
  const view = currentView(), looks = pointLooks(), all = looks.colours.map((colour, point) => [colour, point]);
  const left = all.filter(([colour, point]) => isLeft(view, point, state.round) && colour !== null);
  const points = left.map(([, point]) => point), colours = left.map(([colour]) => colour), size = dotSize();
  const dropped = state.ghosts
    ? all.map(([, point]) => point).filter((point) => !isLeft(view, point, state.round)) : [];
  state.shown = {points, colours, dropped};
  const hoverlabel = {bgcolor: styleColour("--paper"), bordercolor: styleColour("--line"), align: "left",
    font: Object.assign(font(), {size: 12, color: styleColour("--ink")})};
  const isMesh = all.length <= MOST_BALLS && points.length > 0, labels = points.map(hoverText);
  const strengths = points.map((point) => looks.strengths[point]);
  const first = isMesh ? ballTrace(points, colours, strengths, labels) : dotTrace(points, colours, size, labels);
  const second = dotTrace(dropped, styleColour("--dropped"), DROPPED_SHARE * size, dropped.map(hoverText));
  return [first, second].map((trace) => Object.assign(trace, {hoverinfo: "text", hoverlabel, showlegend: false}));
}

function sceneLayout() {
  const {middle, extent, unit} = placesOf(currentCloud()), paper = styleColour("--paper");
  const axis = (number) => ({visible: false, showspikes: false,
    range: [middle[number] - extent[number] / 2, middle[number] + extent[number] / 2]});
  const ratio = (number) => extent[number] / unit;
  return {
    margin: {l: 0, r: 0, t: 0, b: 0}, paper_bgcolor: paper, font: font(), hovermode: "closest", uirevision: state.cloud,
    scene: {xaxis: axis(0), yaxis: axis(1), zaxis: axis(2), aspectmode: "manual", dragmode: "turntable", bgcolor: paper,
      aspectratio: {x: ratio(0), y: ratio(1), z: ratio(2)}, camera: currentCamera(), uirevision: state.cloud}};
}

function drawCloud() {
  return Plotly.react("cloud", traces(), sceneLayout(), {responsive: true, displayModeBar: false, scrollZoom: true});
}
