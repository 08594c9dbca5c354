// What stands beside the cloud: the choices, the colour bar, the curve; and the steps below it.
"use strict";
const MOST_MARKS = 60;  // of the curve; more would hide it

/** What the colour bar says of the heat of the whole cloud. */
function heatBar(view) {
  const look = lookOf(view), none = look.zeroLabel === null ? null : decodeColours(look.zero, state.map)[0];
  return {title: look.label, colours: decodeColours(look.bar, state.map), range: look.range,
    zero: none, zeroLabel: look.zeroLabel};
}

/** Of the order of dropping: from first to last, and those that never were. */
function orderBar(view) {
  const {bar, zero, label, ends: texts, zeroLabel} = view.order;
  return {title: label, colours: decodeColours(bar, "order"), texts, zero: decodeColours(zero, "order")[0], zeroLabel};
}

function barOf(view) {
  if (state.by === "round") return roundLook(view, state.round).bar;
  return state.by === "order" ? orderBar(view) : heatBar(view);
}

function drawBar() {
  const {title, colours, range, texts, zero, zeroLabel} = barOf(currentView());
  const [low, high, least, greatest] = range || [0, 1, 0, 1], isPointed = [least < low, greatest > high];
  element("barTitle").textContent = title;
  element("ramp").hidden = element("ticks").hidden = !colours.length;
  const canvas = element("ramp"), brush = canvas.getContext("2d");
  canvas.width = colours.length || 1;
  colours.forEach((colour, step) => { brush.fillStyle = colour; brush.fillRect(step, 0, 1, 1); });
  // An end that heat goes beyond is pointed, and says how far.
  canvas.style.clipPath = `polygon(${isPointed[0] ? "0 50%, 7px 0" : "0 0"}, ${isPointed[1]
    ? "calc(100% - 7px) 0, 100% 50%, calc(100% - 7px) 100%" : "100% 0, 100% 100%"}, ${
    isPointed[0] ? "7px 100%" : "0 100%"})`;
  const middle = low < 0 && high > 0 ? 0 : (low + high) / 2, values = high > low ? [low, middle, high] : [low];
  const place = (value) => (value - low) / ((high - low) || 1);
  const textOf = (value) => value === 0 && zero ? "> 0" : rounded(value);
  const ticks = texts ? [[0, texts[0]], [1, texts[1]]] : values.map((value) => [place(value), textOf(value)])
    .filter(([at]) => at === 0 || at === 1 || (at > 0.3 && at < 0.7));
  element("ticks").replaceChildren(...ticks.map(([at, text]) => {
    const tick = document.createElement("span");
    tick.textContent = text;
    if (at === 0 || at === 1) tick.className = at ? "high" : "low";
    else tick.style.left = `${100 * at}%`;
    return tick;
  }));
  element("beyond").hidden = !isPointed[0] && !isPointed[1];
  element("beyondLow").textContent = isPointed[0] ? "to " + rounded(least) : "";
  element("beyondHigh").textContent = isPointed[1] ? "to " + rounded(greatest) : "";
  element("zero").hidden = !zeroLabel;
  element("zeroBox").style.background = zero || "";
  element("zeroLabel").textContent = zeroLabel || "";
}

const percent = (accuracy) => accuracy === null ? "not measured" : (100 * accuracy).toFixed(1) + " %";

function drawCurve() {
  const rounds = currentView().rounds, measured = rounds.filter((one) => one[2] !== null);
  element("curveBox").hidden = !measured.length;
  if (!measured.length) return;
  const line = styleColour("--line"), accent = styleColour("--accent"), paper = styleColour("--paper");
  const now = rounds[state.round - 1], at = measured.filter((one) => one[0] <= now[0]).pop() || measured[0];
  const axis = (title, range, more) => Object.assign({title: {text: title, standoff: 6}, range, fixedrange: true,
    zeroline: false, gridcolor: line, linecolor: line, automargin: true}, more);
  const most = rounds[0][1], least = rounds[rounds.length - 1][1], room = 0.05 * (most - least || 1);
  const point = (one) => "round " + one[0] + ": " + one[1] + " points, " + percent(one[2]);
  const isLow = element("curve").clientHeight < 100;  // its heading says what the axis is
  const marks = {x: [now[1]], y: [100 * at[2]], mode: "markers", hoverinfo: "skip", cliponaxis: false, marker: {
    size: 11, color: now[2] === null ? paper : styleColour("--now"), line: {width: 2, color: styleColour("--now")}}};
  const last = measured[measured.length - 1];
  element("curve").setAttribute("aria-label", "Accuracy " + percent(measured[0][2]) + " of " + measured[0][1] +
    " points, " + percent(last[2]) + " of " + last[1]);
  Plotly.react("curve", [
    {x: measured.map((one) => one[1]), y: measured.map((one) => 100 * one[2]), text: measured.map(point),
      customdata: measured.map((one) => one[0]), hoverinfo: "text",
      mode: measured.length > MOST_MARKS ? "lines" : "lines+markers",
      line: {color: accent, width: 1.5}, marker: {size: 4, color: accent}}, marks],
  {margin: {l: 44, r: 8, t: 6, b: isLow ? 18 : 34}, showlegend: false, font: font(), hovermode: "closest",
    paper_bgcolor: paper, plot_bgcolor: paper,
    xaxis: axis(isLow ? "" : "points left", [most + room, least - room], {nticks: 5}),
    yaxis: axis("", [-4, 106], {tickvals: [0, 50, 100], ticktext: ["0 %", "50 %", "100 %"]}),
    hoverlabel: {bgcolor: paper, bordercolor: line, font: {color: styleColour("--ink")}}},
  {responsive: true, displayModeBar: false});
  if (!state.hearsCurve) {
    state.hearsCurve = true;
    element("curve").on("plotly_click", ({points}) => { play(false); toRound(points[0].customdata); });
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
  element("says").setAttribute("aria-live", state.timer ? "off" : "polite");
  element("says").textContent = says;
}

/** A heading with a row of buttons, or a list where that would be long or `isList` says so. */
function picker(heading, names, chosen, choose, isList = names.length > 4 || names.join("").length > 24) {
  const box = document.createElement("div"), title = document.createElement("h2");
  title.textContent = heading;
  const row = document.createElement(isList ? "select" : "div");
  box.className = "picker";
  if (!isList) { row.className = "choices"; row.setAttribute("role", "group"); }
  row.setAttribute("aria-label", heading);
  row.dataset.key = heading;
  names.forEach((name, number) => {
    const one = document.createElement(isList ? "option" : "button");
    one.textContent = name;
    if (isList) { one.selected = number === chosen; one.value = number; }
    else {
      one.type = "button";
      one.dataset.key = heading + " " + number;
      one.setAttribute("aria-pressed", number === chosen);
      one.onclick = () => choose(number);
    }
    row.append(one);
  });
  if (isList) row.onchange = () => choose(Number(row.value));
  box.append(title, row);
  return box;
}

function lookPickers(choose) {
  const {maps, scales} = data;
  return [picker("Colours", maps, maps.indexOf(state.map), (number) => choose({map: maps[number]}), true),
          picker("Scale", scales, scales.indexOf(state.scale), (number) => choose({scale: scales[number]}), true)];
}

/** By what this view can be coloured. */
const waysOf = (view) => Object.keys(BY).filter((by) =>
  by === "heat" || (by === "order" && view.order) || (by === "round" && hasRounds(view)));

function mainPickers() {
  const {views} = currentCloud(), found = [], ways = waysOf(currentView());
  if (data.clouds.length > 1) {
    // The methods of clouds may differ: stay with the same name where there is one.
    const sameMethod = (number) => data.clouds[number].views.findIndex((one) => one.method === currentView().method);
    found.push(picker("Cloud", data.clouds.map((one) => one.caption), state.cloud,
                      (number) => toView(number, Math.max(0, sameMethod(number)))));
  }
  if (views.length > 1) {
    found.push(picker("Method", views.map((view) => view.method), state.view, (view) => toView(state.cloud, view)));
  }
  if (ways.length > 1) {
    found.push(picker("Colour by", ways.map((by) => BY[by]), ways.indexOf(state.by),
                      (number) => change({by: ways[number]}), false));
  }
  return found;
}

/** Puts new controls in the place of the old ones of a box; the keyboard stays where it was. */
function replaceControls(box, found) {
  const {key} = box.contains(document.activeElement) ? document.activeElement.dataset : {};
  box.replaceChildren(...found);
  const same = key && Array.from(box.querySelectorAll("[data-key]")).find((one) => one.dataset.key === key);
  if (same) same.focus({preventScroll: true});
}
