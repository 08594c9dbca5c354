// Turning and zooming by keys, buttons and fingers; the mouse is Plotly's.
"use strict";
const STEP = Math.PI / 18, ZOOM_STEP = 1.15, STEEPEST = 1.5;  // radians, share, radians

/** A camera turned about its centre: to the right and upwards in radians, and as many times as far away. */
function turned(camera, right, up, times) {
  const [x, y, z] = ["x", "y", "z"].map((axis) => camera.eye[axis] - camera.center[axis]), flat = Math.hypot(x, y);
  const distance = Math.max(0.15, Math.min(20, Math.hypot(flat, z) * times));
  const angle = Math.atan2(y, x) + right, height = Math.max(-STEEPEST, Math.min(STEEPEST, Math.atan2(z, flat) + up));
  const eye = {x: camera.center.x + distance * Math.cos(height) * Math.cos(angle),
    y: camera.center.y + distance * Math.cos(height) * Math.sin(angle),
    z: camera.center.z + distance * Math.sin(height)};
  return {eye, center: camera.center, up: {x: 0, y: 0, z: 1}};
}

const setCamera = (camera) => Plotly.relayout("cloud", {"scene.camera": camera});
const turn = (right, up, times = 1) => setCamera(turned(currentCamera(), right, up, times));
const resetCamera = () => setCamera(firstCamera());

// As with the mouse, the cloud goes where one pushes it, and the camera the other way.
const KEYS = {
  ArrowLeft: () => turn(STEP, 0), ArrowRight: () => turn(-STEP, 0), ArrowUp: () => turn(0, -STEP),
  ArrowDown: () => turn(0, STEP), "+": () => turn(0, 0, 1 / ZOOM_STEP), "=": () => turn(0, 0, 1 / ZOOM_STEP),
  "-": () => turn(0, 0, ZOOM_STEP), "0": resetCamera, Home: resetCamera};

/**
 * Fingers: one turns, two turn and zoom. In the narrow layout the browser keeps the up and down of one finger and
 * scrolls the page (`touch-action` of #cloud); Plotly, which would take every touch, hears of none.
 */
function hearFingers(box) {
  const fingers = new Map();
  let waiting = null, frame = null;
  const middle = () => [0, 1].map((axis) => Array.from(fingers.values())
    .reduce((sum, place) => sum + place[axis], 0) / fingers.size);
  const span = () => fingers.size < 2 ? 1 : Math.hypot(...[0, 1].map((axis) =>
    Array.from(fingers.values()).slice(0, 2).reduce((a, b) => a[axis] - b[axis])));
  const handle = (event) => {
    if (event.pointerType !== "touch") return;
    event.stopPropagation();
    if (event.type === "pointerdown") fingers.set(event.pointerId, [event.clientX, event.clientY]);
    else if (event.type !== "pointermove") fingers.delete(event.pointerId);
    else if (fingers.has(event.pointerId)) {
      const before = middle(), wide = span();
      fingers.set(event.pointerId, [event.clientX, event.clientY]);
      const [right, down] = middle().map((value, axis) => (value - before[axis]) * Math.PI / box.clientHeight);
      const isScroll = fingers.size === 1 && getComputedStyle(box).touchAction === "pan-y";
      const [x, y, times] = waiting || [0, 0, 1];
      waiting = [x - right, isScroll ? y : y + down, times * wide / Math.max(span(), 1)];
      frame = frame || requestAnimationFrame(() => { const by = waiting; waiting = frame = null; turn(...by); });
    }
  };
  for (const name of ["pointerdown", "pointermove", "pointerup", "pointercancel"]) {
    box.addEventListener(name, handle, {capture: true});
  }
  for (const name of ["touchstart", "touchmove", "touchend", "touchcancel"]) {
    box.addEventListener(name, (event) => event.stopPropagation(), {capture: true, passive: true});
  }
}

function hearTurning() {
  element("cloud").addEventListener("keydown", (event) => {
    if (!KEYS[event.key] || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    KEYS[event.key]();
  });
  hearFingers(element("cloud"));
  element("nearer").onclick = KEYS["+"];
  element("farther").onclick = KEYS["-"];
  element("reset").onclick = resetCamera;
  element("picture").onclick = () => Plotly.downloadImage("cloud", {format: "png", scale: 2, filename: "heat"});
}
