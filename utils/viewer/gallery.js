// A table of small pictures, class by method; a click opens one in the viewer.
"use strict";

/** Red, green and blue, 0 to 255, of "#rrggbb" or "#rgb". */
const parts = (colour) => (colour.length === 4 ? [1, 2, 3].map((at) => colour[at] + colour[at])
  : [1, 3, 5].map((at) => colour.substr(at, 2))).map((text) => parseInt(text, 16));

/** Paints a cloud as the first camera sees it, far points first and paler. */
function paint(canvas, cloud, view) {
  const [right, up, towards] = seenOf(cloud), size = canvas.width, distance = data.cameraDistance;
  cloud.order = cloud.order || towards.map((_, point) => point).sort((a, b) => towards[a] - towards[b]);
  const near = towards[cloud.order[cloud.order.length - 1]], far = towards[cloud.order[0]];
  const x = right.map((value, point) => value / (distance - towards[point]));
  const y = up.map((value, point) => -value / (distance - towards[point]));
  const [[left, width], [top, height]] = [x, y].map((values) => {
    const [low, high] = ends(values);
    return [(low + high) / 2, high - low];
  });
  const span = Math.max(width, height) || 1, zoom = 0.9 * size / span;
  const area = (width + 0.1 * span) * (height + 0.1 * span) * zoom * zoom;
  const dot = Math.max(1.5, data.dotSize * Math.sqrt(area / x.length)), brush = canvas.getContext("2d");
  const colours = decodeColours(lookOf(view).colours, state.map);
  const paper = parts(styleColour("--paper"));
  brush.fillStyle = styleColour("--paper");
  brush.fillRect(0, 0, size, size);
  for (const point of cloud.order) {
    const pale = data.fading * (near - towards[point]) / (near - far || 1);
    const faded = parts(colours[point]).map((part, i) => Math.round(part + (paper[i] - part) * pale));
    brush.fillStyle = "rgb(" + faded + ")";
    brush.beginPath();
    brush.arc(size / 2 + zoom * (x[point] - left),
              size / 2 + zoom * (y[point] - top), dot / 2, 0, 2 * Math.PI);
    brush.fill();
  }
}

const lookNow = () => [state.map, state.scale, isDark()].join(" ");

/** Paints the cells of a map and scale that are on the screen, and the others when they come there. */
function watchCells(cells) {
  const paintCell = (canvas) => {
    const cloud = data.clouds[canvas.dataset.cloud];
    if (canvas.dataset.painted === lookNow()) return;
    canvas.dataset.painted = lookNow();
    paint(canvas, cloud, cloud.views[canvas.dataset.view]);
  };
  const watcher = new IntersectionObserver((entries) => entries.filter((entry) => entry.isIntersecting)
    .forEach((entry) => paintCell(entry.target)), {rootMargin: "300px"});
  cells.forEach((canvas) => watcher.observe(canvas));
  return () => cells.forEach((canvas) => { watcher.unobserve(canvas); watcher.observe(canvas); });
}

function headCell(text, scope) {
  const cell = document.createElement("th");
  cell.textContent = text;
  cell.scope = scope;
  return cell;
}

function buildGallery() {
  const cells = [], head = document.createElement("tr");
  head.append(document.createElement("td"), ...data.clouds[0].views.map((view) => headCell(view.method, "col")));
  element("grid").tHead.append(head);
  data.clouds.forEach((cloud, number) => {
    const row = document.createElement("tr");
    row.append(headCell(cloud.caption, "row"), ...cloud.views.map((view, place) => {
      const cell = document.createElement("td"), button = document.createElement("button");
      const canvas = document.createElement("canvas");
      canvas.width = canvas.height = 224;
      Object.assign(canvas.dataset, {cloud: number, view: place});
      button.type = "button";
      button.setAttribute("aria-label", cloud.caption + ", " + view.method);
      button.onclick = () => openCloud(number, place, button);
      button.append(canvas);
      cell.append(button);
      cells.push(canvas);
      return cell;
    }));
    element("grid").tBodies[0].append(row);
  });
  return watchCells(cells);
}

/** Opens one cloud in place of the gallery, and comes back to where it was. */
function openCloud(cloud, view, button) {
  if (!element("trouble").hidden) return;
  const scrolled = window.scrollY;
  element("gallery").hidden = true;
  element("viewer").hidden = false;
  element("back").onclick = () => {
    play(false);
    element("viewer").hidden = true;
    showGallery();
    window.scrollTo(0, scrolled);
    button.focus({preventScroll: true});
  };
  window.scrollTo(0, 0);
  startViewer(cloud, view);
}

let repaint = null;

function showGallery() {
  element("gallery").hidden = false;
  replaceControls(element("galleryPickers"), lookPickers((changes) => {
    Object.assign(state, changes);
    showGallery();
  }));
  repaint = repaint || buildGallery();
  repaint();
}

if (data.isGallery) {
  element("viewer").hidden = true;
  element("back").hidden = false;
  darkness.addEventListener("change", () => repaint());
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && !element("viewer").hidden) element("back").click();
  });
  showGallery();
}
