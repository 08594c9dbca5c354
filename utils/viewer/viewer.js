// Shows one cloud at a time, by the files before this one; `startViewer` begins.
"use strict";

/** Everything of the current cloud, view, colours and round. Resolves when it is drawn. */
function draw() {
  const {caption, views} = currentCloud();
  element("caption").textContent = caption + (views.length > 1 ? "" : ", " + currentView().method);
  drawSteps();
  drawBar();
  drawCurve();
  replaceControls(element("pickers"), mainPickers());
  replaceControls(element("lookPickers"), lookPickers(change));
  return drawCloud();
}

function change(changes) {
  Object.assign(state, changes);
  const rounds = currentView().rounds.length;
  state.round = Math.max(1, Math.min(state.round, rounds));
  return draw();
}

/** Goes to a round, and remembers how many points it leaves, for other methods. */
function toRound(round) {
  const one = currentView().rounds[round - 1];
  return change({round, left: one && round > 1 ? one[1] : Infinity});
}

/** Goes to another cloud or method, at the round that leaves about as many points as the user was at. */
function toView(cloud, view) {
  play(false);
  const {rounds} = data.clouds[cloud].views[view], off = rounds.map((one) => Math.abs(one[1] - state.left));
  const round = state.left === Infinity ? 1 : 1 + off.indexOf(Math.min(...off));
  const ways = waysOf(data.clouds[cloud].views[view]);
  return change({cloud, view, round, by: ways.includes(state.by) ? state.by : "heat"});
}

/** Steps through the rounds, each drawn before the next begins. */
function play(isPlaying) {
  clearTimeout(state.timer);
  state.timer = isPlaying ? setTimeout(() => {
    if (state.round >= currentView().rounds.length) return play(false);
    toRound(state.round + 1).then(() => state.timer && play(true));
  }, data.millisecondsARound) : null;
  element("play").textContent = isPlaying ? "Pause" : "Play";
}

/** Printers take no WebGL: a picture takes the place of the cloud, on white, for as long as the page is printed. */
function hearPrinting() {
  const redraw = (isPrinting) => {
    if (element("viewer").hidden) return;
    state.isPrinting = isPrinting;
    draw();
  };
  window.addEventListener("beforeprint", () => {
    redraw(true);
    const scene = element("cloud")._fullLayout && element("cloud")._fullLayout.scene._scene;
    if (scene) element("printed").src = scene.toImage("png");
  });
  window.addEventListener("afterprint", () => redraw(false));
}

/** Begins the viewer with a cloud and one of its views. */
async function startViewer(cloud, view) {
  await ready;
  if (!state.isStarted) element("looks").open = window.matchMedia("(min-height: 681px)").matches;
  await change({cloud, view, round: 1, left: Infinity, by: "heat"});
  if (state.isStarted) return;
  state.isStarted = true;
  window.addEventListener("resize", () => {
    clearTimeout(state.resizing);
    state.resizing = setTimeout(() => element("viewer").hidden || draw(), 150);
  });
  darkness.addEventListener("change", () => element("viewer").hidden || draw());
  element("slider").oninput = () => { play(false); toRound(Number(element("slider").value)); };
  element("ghosts").onchange = () => change({ghosts: element("ghosts").checked});
  element("play").onclick = () => {
    if (!state.timer && state.round >= currentView().rounds.length) toRound(1);
    play(!state.timer);
  };
  hearTurning();
  hearPrinting();
}

/** Plotly, which the page holds packed, and the heat of the rounds. */
async function unpackAll() {
  if (typeof DecompressionStream === "undefined") {
    throw new Error("This page needs a browser of 2023 or later: Chrome, Edge, Firefox 113 or Safari 16.4.");
  }
  const canvas = document.createElement("canvas");
  if (!canvas.getContext("webgl2") && !canvas.getContext("webgl")) {
    throw new Error("This browser draws no clouds, as it has no WebGL: turn on hardware acceleration in its settings, " +
      "or open the page in another browser.");
  }
  const script = document.createElement("script");
  script.textContent = new TextDecoder().decode(await unpacked(element("library").textContent));
  document.head.append(script);
  await unpackRounds();
}

const ready = unpackAll();
ready.catch((error) => {
  element("viewer").hidden = true;
  element("trouble").hidden = false;
  element("trouble").textContent = error.message;
});
if (!data.isGallery) startViewer(0, 0).catch(() => null);
