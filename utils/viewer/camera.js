// Where points are, as Plotly and as the first camera see them, and where the camera is.
"use strict";
const HALF_VIEW = Math.tan(Math.PI / 8);  // Plotly's cameras see 45 degrees from bottom to top

const ends = (values) => [values.reduce((a, b) => Math.min(a, b)), values.reduce((a, b) => Math.max(a, b))];
const middleOf = (values) => ends(values).reduce((low, high) => (low + high) / 2);

/**
 * Where the points are for Plotly, whose third axis is up: [z, x, y] for y up, so that left stays left.
 * With the middle and the extent of each axis, and `unit`, half of the longest extent.
 */
function placesOf(cloud) {
  if (cloud.places) return cloud.places;
  const axes = [2, 0, 1].map((axis) => cloud.points.filter((_, at) => at % 3 === axis));
  const sizes = axes.map((values) => ends(values).reduce((low, high) => high - low)), longest = Math.max(...sizes) || 1;
  const extent = sizes.map((size) => Math.max(size, 0.1 * longest) * 1.04), middle = axes.map(middleOf);
  cloud.places = {axes, middle, extent, unit: longest / 2};
  return cloud.places;
}

/** Of a cloud's first camera: its axes to the right, up and from the cloud to it, each [z, x, y] of length 1. */
function cameraAxes(cloud) {
  const [x, y, z] = cloud.camera, size = Math.hypot(x, y, z), flat = Math.hypot(x, z);
  const towards = [z / size, x / size, y / size], right = [-x / flat, z / flat, 0];
  const cross = (a, b) => [0, 1, 2].map((i) => [(i + 1) % 3, (i + 2) % 3]).map(([j, k]) => a[j] * b[k] - a[k] * b[j]);
  return [right, cross(towards, right), towards];
}

/** Each point as the first camera sees it, in units of half the longest extent: arrays right, up, towards. */
function seenOf(cloud) {
  if (cloud.seen) return cloud.seen;
  const {axes, middle, unit} = placesOf(cloud);
  cloud.seen = cameraAxes(cloud).map((axis) => axes[0].map((_, point) =>
    axis.reduce((sum, part, i) => sum + part * (axes[i][point] - middle[i]) / unit, 0)));
  return cloud.seen;
}

/** The first camera: it looks at the middle of what it sees, as near as it can be with all points in the picture. */
function firstCamera() {
  const {clientWidth, clientHeight} = element("cloud");
  const axes = cameraAxes(currentCloud()), seen = seenOf(currentCloud());
  const halves = [HALF_VIEW * clientWidth / Math.max(clientHeight, 1), HALF_VIEW], middles = seen.map(middleOf);
  let distance = 0;
  for (let step = 0; step < 5; step++) {  // what is near looks larger, so where the middle is follows from the distance
    const towards = seen[2].map((value) => value - middles[2]);
    distance = ends([0, 1].map((axis) => ends(seen[axis].map((value, point) =>
      towards[point] + Math.abs(value - middles[axis]) / (0.93 * halves[axis])))[1]))[1];
    for (const axis of [0, 1]) {
      middles[axis] += distance * middleOf(seen[axis].map(
        (value, point) => (value - middles[axis]) / (distance - towards[point])));
    }
  }
  const place = (shift) => {
    const along = [middles[0], middles[1], middles[2] + shift];
    const [x, y, z] = [0, 1, 2].map((i) => axes.reduce((sum, axis, j) => sum + axis[i] * along[j], 0));
    return {x, y, z};
  };
  return {eye: place(distance), center: place(0), up: {x: 0, y: 0, z: 1}};
}

/**
 * The camera as the user turned it, or the first one where this cloud has not been turned.
 * Plotly's layout knows where it was when the mouse was let go, but it moves on for a moment: the scene itself knows.
 */
function currentCamera() {
  const {layout, _fullLayout: full} = element("cloud");
  if (layout && state.first && state.first.cloud === state.cloud) {
    const scene = full.scene._scene, shown = scene ? scene.getCamera() : layout.scene.camera;
    if ("xyz".split("").some((axis) => Math.abs(shown.eye[axis] - state.first.camera.eye[axis]) > 1e-3)) return shown;
  }
  state.first = {cloud: state.cloud, camera: firstCamera()};
  return state.first.camera;
}
