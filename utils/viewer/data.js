// What the page holds, what it shows just now, and how to read colours and heat out of it.
"use strict";
const data = JSON.parse(document.getElementById("data").textContent);
const element = (id) => document.getElementById(id);
const BY = {heat: "heat", order: "order of dropping", round: "heat of this round"};
/** `left`: points left at the round that the user chose, which other methods are shown at as well. */
const state = {cloud: 0, view: 0, by: "heat", map: data.map, scale: data.scale, round: 1, left: Infinity, ghosts: true,
  timer: null, isPrinting: false};
const darkness = window.matchMedia("(prefers-color-scheme: dark)");

const currentCloud = () => data.clouds[state.cloud];
const currentView = () => currentCloud().views[state.view];
const lookOf = (view) => view.looks[state.map + " " + state.scale];
const isDark = () => darkness.matches && !state.isPrinting;

/** A colour of the page's style, such as "--line"; on paper the light one. */
const LIGHT = {"--paper": "#ffffff", "--ink": "#1d1f23", "--quiet": "#5f656d", "--line": "#d9dce0",
  "--accent": "#2b5aa8", "--now": "#c73548", "--dropped": "#cfd2d7"};
const styleColour = (name) => state.isPrinting ? LIGHT[name]
  : getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const font = () => ({family: getComputedStyle(document.body).fontFamily, size: 11, color: styleColour("--quiet")});

/** The bytes that Python packed by zlib: a promise of a Uint8Array. */
async function unpacked(text) {
  const bytes = Uint8Array.from(atob(text.trim()), (letter) => letter.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

/** Colours of a text of a code each, as "#rrggbb". */
function decodeColours(text, map) {
  const {length, base} = data.code, found = [];
  const palette = isDark() ? darkPalette(map) : data.palettes[map];
  for (let at = 0; at < text.length; at += length) found.push(palette[parseInt(text.substr(at, length), base)]);
  return found;
}

const darkPalettes = {};
function darkPalette(map) {
  const turnsOver = data.lightMaps.includes(map);
  return darkPalettes[map] = darkPalettes[map] || data.palettes[map].map((colour) => forDark(colour, turnsOver));
}

/**
 * The colour that stands out from dark paper as this one does from white: of a map whose strongest colours are its
 * darkest, one as light as that is dark, of the same hue (in Oklab, by Ottosson). Other maps keep theirs, but black.
 */
function forDark(colour, turnsOver) {
  const rgb = [1, 3, 5].map((at) => parseInt(colour.substr(at, 2), 16) / 255)
    .map((part) => part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4);
  const times = (rows, values) => rows.map((row) => row.reduce((sum, factor, i) => sum + factor * values[i], 0));
  const cones = times([[0.4122214708, 0.5363325363, 0.0514459929], [0.2119034982, 0.6806995451, 0.1073969566],
    [0.0883024619, 0.2817188376, 0.6299787005]], rgb).map(Math.cbrt);
  const [light, a, b] = times([[0.2104542553, 0.793617785, -0.0040720468], [1.9779984951, -2.428592205, 0.4505937099],
    [0.0259040371, 0.7827717662, -0.808675766]], cones);
  const chroma = Math.hypot(a, b), isBlack = light < 0.3 && chroma < 0.02;
  // Grey is the darkest, so that pale colours do not pass for it.
  const darkest = 0.46 + Math.min(1, chroma / 0.1) * 0.1;
  const turned = turnsOver ? Math.max(darkest, Math.min(0.8, 1.3 - light)) : isBlack ? 0.46 : light;
  const linear = times([[4.0767416621, -3.3077115913, 0.2309699292], [-1.2684380046, 2.6097574011, -0.3413193965],
    [-0.0041960863, -0.7034186147, 1.707614701]], times([[1, 0.3963377774, 0.2158037573],
    [1, -0.1055613458, -0.0638541728], [1, -0.0894841775, -1.291485548]], [turned, a, b]).map((cone) => cone ** 3));
  return "#" + linear.map((part) => Math.max(0, Math.min(1, part)))
    .map((part) => part <= 0.0031308 ? 12.92 * part : 1.055 * part ** (1 / 2.4) - 0.055)
    .map((part) => Math.round(255 * part).toString(16).padStart(2, "0")).join("");
}

/** The heat of each point of the whole cloud. */
function heatOf(view) {
  if (!view.values) {
    const bytes = Uint8Array.from(atob(view.heat), (letter) => letter.charCodeAt(0)), read = new DataView(bytes.buffer);
    view.values = Array.from({length: bytes.length / 4}, (_, point) => read.getFloat32(4 * point, true));
  }
  return view.values;
}

/** The place of each point in the order of heat, from 1 for the hottest; equal heats share the best place. */
function ranksOf(view) {
  if (!view.ranks) {
    const sorted = Float64Array.from(heatOf(view)).sort().reverse(), places = new Map();
    sorted.forEach((heat, place) => places.has(heat) || places.set(heat, place + 1));
    view.ranks = heatOf(view).map((heat) => places.get(heat));
  }
  return view.ranks;
}

/** The place of each point in the file of which the cloud is a part; null where its number says it, or it has none. */
function filePlaces(cloud) {
  let place = 0;
  return cloud.filePlaces = cloud.filePlaces || (cloud.fileSteps ? cloud.fileSteps.map((step) => place += step) : null);
}

const isLeft = (view, point, round) => !(view.removed[point] > 0 && view.removed[point] < round);

/** A number with as many significant digits as in the pictures. */
function rounded(value, digits = data.significantDigits) {
  const size = Math.abs(value);
  return size !== 0 && (size < 1e-4 || size >= 1e5) ? value.toExponential(digits - 1)
    : String(Number(value.toPrecision(digits)));
}
