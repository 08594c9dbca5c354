// The heat that single rounds took, of the points that they still had.
"use strict";

/** Unpacks the heat of the rounds of all views: a promise of nothing. */
async function unpackRounds() {
  for (const view of data.clouds.flatMap((cloud) => cloud.views).filter((one) => one.roundHeats)) {
    view.roundHeats.bytes = new Int8Array((await unpacked(view.roundHeats.packed)).buffer);
  }
}

/** Whether there is heat of more rounds than the first. */
const hasRounds = (view) => Boolean(view.roundHeats);

/**
 * The heat of the last round up to a number that has one: its round, and its values, null of points that were gone.
 * A byte k stands for +- greatest * ((1 + strength)^(|k| / 127) - 1) / strength: about 3 % of a heat are lost.
 */
function roundHeat(view, number) {
  const kept = view.roundHeats, whole = {round: 1, place: -1, values: heatOf(view)};
  if (!kept || kept.rounds[0] > number) return whole;
  const place = kept.rounds.filter((round) => round <= number).length - 1, round = kept.rounds[place];
  if (kept.last && kept.last.place === place) return kept.last;
  let at = kept.starts[place];
  const size = heatOf(view).length, greatest = kept.greatest[place], values = new Array(size).fill(null);
  for (let point = 0; point < size; point++) {
    if (!isLeft(view, point, round)) continue;
    const byte = kept.bytes[at++];
    values[point] = Math.sign(byte) * greatest * ((1 + kept.strength) ** (Math.abs(byte) / 127) - 1) / kept.strength;
  }
  return kept.last = {round, place, values};
}

/** Heats of either sign by their places among those of the same sign, in -1..1; ties share their middle place. */
function rankScale(values) {
  const found = values.map((value) => value === null ? null : 0);
  for (const sign of [1, -1]) {
    const chosen = values.map((value, point) => point).filter((point) => sign * values[point] > 0);
    chosen.sort((a, b) => sign * (values[a] - values[b]));
    for (let first = 0, end; first < chosen.length; first = end) {
      for (end = first + 1; end < chosen.length && values[chosen[end]] === values[chosen[first]];) end++;
      for (let at = first; at < end; at++) found[chosen[at]] = sign * (first + end + 1) / 2 / chosen.length;
    }
  }
  return found;
}

/** How much points matter by their heat, 0 to 1, as `heat_strengths` of the pictures; `none`: negative is no heat. */
function strengthsOf(scaled, [low, high], none) {
  const reach = none ? high : Math.max(-low, high);
  const size = (value) => none ? Math.max(value, 0) : Math.abs(value);
  return scaled.map((value) => value === null ? 0 : Math.min(size(value) / (reach || 1), 1));
}

/** Likewise by when they were dropped, as `order_strengths` of the pictures. */
function orderStrengths(view) {
  const rounds = view.removed.filter((round) => round > 0).sort((a, b) => a - b), before = new Map();
  rounds.forEach((round, place) => before.has(round) || before.set(round, place));
  const most = before.get(rounds[rounds.length - 1]) || 1;
  return view.removed.map((round) => round > 0 ? 1 - (1 - data.lastDropped) * before.get(round) / most : 0);
}

/**
 * What a bar spans by the heats that it shows: bottom, top, least and greatest. Python knows all but that of ranks.
 * Of a map with a colour for none, negative heat is none.
 */
function rangeOf(view, place, {isDiverging, none}, scaled) {
  const kind = isDiverging ? "diverging " : "stretched ", [low, high] = ends(scaled.filter((value) => value !== null));
  const reachesZero = isDiverging || low === high;
  const range = state.scale !== "rank" ? view.roundHeats.ranges[kind + state.scale][place + 1]
    : [reachesZero ? Math.min(low, 0) : low, reachesZero ? Math.max(high, 0) : high, low, high];
  return none ? [0, ...range.slice(1).map((value) => Math.max(value, 0))] : range;
}

/** How a round's heat looks: the colour of each point that it had, and the bar, as `barOf` of the whole cloud's. */
function roundLook(view, number) {
  const {round, place, values} = roundHeat(view, number), ramp = data.ramps[state.map];
  const colours = decodeColours(ramp.codes, state.map), none = ramp.none && decodeColours(ramp.none, state.map)[0];
  const scaled = state.scale === "rank" ? rankScale(values) : values;
  const [bottom, top, ...extremes] = rangeOf(view, place, ramp, scaled), reach = Math.max(-bottom, top) || 1;
  const [low, high] = ramp.isDiverging ? [-reach, reach] : [bottom, top];
  const share = (value) => Math.max(0, Math.min(1, (value - low) / ((high - low) || 1)));
  const at = (value) => colours[Math.round(share(value) * (colours.length - 1))];
  const steps = Array.from({length: none && top === 0 ? 0 : data.barSteps},
    (_, step) => at(bottom + (top - bottom) * step / (data.barSteps - 1)));
  return {
    round, colours: scaled.map((value) => value === null ? null : none && value <= 0 ? none : at(value)),
    bar: {colours: steps, range: [bottom, top, ...extremes], zero: none,
      zeroLabel: !none ? null : scaled.some((value) => value < 0) ? "0 or less" : "no heat",
      title: (state.scale === "rank" ? "rank of heat" : "heat") + " in round " + round +
        (round < number ? ", the last that was kept" : "")},
    strengths: strengthsOf(scaled, [bottom, top], none)};
}
