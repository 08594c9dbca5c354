"""Demo objects that stand in rooms. A builder's argument and result are as `objects` says."""

import numpy as np

from utils.demo.parts import ball, both_sides, box, ellipses, lathe, loft, plate, rectangle, solid, spline, tube, turned


def bed(uniform):
    width, floor = uniform(0.4, 0.95), uniform(0.1, 0.35)
    top = floor + uniform(0.2, 0.4)
    frame, mattress = (-width, width), (-width + 0.03, width - 0.03)
    parts = [
        solid(
            [
                rectangle(frame, floor, (-1, 1)),
                rectangle(frame, floor + 0.1, (-1, 1)),
                rectangle(mattress, floor + 0.1, (-0.97, 0.97)),
                rectangle(mattress, top, (-0.97, 0.97)),
            ]
        ),
        box((-width - 0.03, width + 0.03), (0, top + uniform(0.2, 0.7)), (1, 1.08)),
    ]
    if uniform() < 0.5:
        parts.append(box((-width - 0.03, width + 0.03), (0, top + uniform(-0.05, 0.2)), (-1.08, -1)))
    parts.append(both_sides(box((width - 0.12, width), (0, floor), (-0.98, -0.86))))
    if width < 0.58:
        return parts + [ball((0, top + 0.07, 0.72), (0.65 * width, 0.09, 0.2))]
    return parts + [both_sides(ball((0.48 * width, top + 0.07, 0.72), (0.4 * width, 0.09, 0.2)))]


def bookshelf(uniform):
    width, depth, board = uniform(0.36, 0.95), uniform(0.12, 0.3), uniform(0.02, 0.035)
    levels = np.linspace(-1 + uniform(0.02, 0.12), 1 - board, int(uniform(4, 8)))
    parts = [
        both_sides(box((width, width + 2 * board), (-1, 1 + board), (-depth, depth))),
        box((-width, width), (levels[0], 1), (depth - board, depth)),
    ]
    parts += [box((-width, width), (level, level + board), (-depth, depth - board)) for level in levels]
    for level, room in zip(levels[:-1] + board, np.diff(levels) - board):
        start, row_end = -width, uniform(-width, width)
        while start < row_end:  # a few books of the same height at a time
            end, height = min(start + uniform(0.1, 0.3), width), room * uniform(0.5, 0.9)
            parts.append(box((start, end), (level, level + height), (-0.6 * depth, depth - board), ("-y", "+z")))
            start = end
    return parts


def chair(uniform):
    width, depth, seat, back = uniform(0.4, 0.52), uniform(0.38, 0.5), uniform(0.8, 1.0), uniform(0.8, 1.15)
    leg, splay, tilt = uniform(0.03, 0.055), uniform(0, 0.12), uniform(2, 16)
    parts = [box((-width, width), (seat - uniform(0.05, 0.12), seat), (-depth, depth))]
    for z in (-depth + leg, depth - leg):
        foot = (width - leg + splay, 0, z + np.sign(z) * splay)
        parts.append(both_sides(tube([foot, (width - leg, seat - 0.05, z)], [leg, 1.2 * leg], sides=8)))
    between = (-width + 0.08, width - 0.08)
    rest = [both_sides(box((width - 0.08, width), (seat, seat + back), (depth - 0.06, depth)))]
    if uniform() < 0.5:
        rest.append(box(between, (seat + uniform(0.05, 0.3), seat + back), (depth - 0.05, depth - 0.01)))
    else:
        bars = np.linspace(0.3, 1, int(uniform(2, 5))) * back + seat
        rest += [box(between, (bar - 0.14, bar), (depth - 0.05, depth - 0.01)) for bar in bars]
    parts += [turned(part, "x", tilt, about=(0, seat, depth)) for part in rest]
    if uniform() < 0.4:
        arm = seat + uniform(0.3, 0.42)
        parts += [
            both_sides(box((width - 0.04, width + 0.05), (arm - 0.05, arm), (-depth + 0.05, depth + 0.03))),
            both_sides(box((width - 0.03, width + 0.03), (seat, arm - 0.05), (-depth + 0.08, -depth + 0.15))),
        ]
    return parts


def piano(uniform):
    width, tail, low, depth = uniform(0.65, 0.85), uniform(0.55, 1.4), uniform(0.5, 0.75), uniform(0.2, 0.3)
    opening = uniform(18, 42)
    curve = spline(
        [
            (-width, -0.15),
            (-0.85 * width, 0.15),
            (-0.3 * width, 0.4 * tail),
            (0.05 * width, 0.8 * tail),
            (0.5 * width, tail),
            (0.9 * width, 0.92 * tail),
            (width, 0.7 * tail),
        ]
    )
    outline = np.concatenate([[(width, -0.6), (-width, -0.6)], curve])
    lid = turned(plate(outline, (low + depth, low + depth + 0.03)), "z", -opening, about=(width, low + depth, 0))
    prop_top = low + depth + 1.3 * width * np.tan(np.radians(opening))
    legs = [
        both_sides(tube([(0.8 * width, 0, -0.45), (0.8 * width, low, -0.45)], [0.05, 0.075], sides=8)),
        tube([(0.45 * width, 0, 0.75 * tail), (0.45 * width, low, 0.75 * tail)], [0.05, 0.075], sides=8),
    ]
    return legs + [
        plate(outline, (low, low + depth)),
        lid,
        tube([(-0.3 * width, low + depth, -0.3), (-0.3 * width, prop_top, -0.3)], 0.02, sides=8),
        box((-width, width), (low, low + 0.1), (-0.85, -0.6)),
        box((-0.88 * width, 0.88 * width), (low + 0.1, low + 0.14), (-0.82, -0.6)),
        both_sides(box((0.9 * width, width), (low + 0.1, low + 0.2), (-0.85, -0.6))),
    ]


def sofa(uniform):
    length, depth, seat, arm = uniform(0.5, 1.3), uniform(0.42, 0.54), uniform(0.32, 0.42), uniform(0.12, 0.22)
    back, arm_top = seat + uniform(0.35, 0.5), seat + uniform(0.15, 0.28)
    feet, tilt = uniform(0.05, 0.1), uniform(0, 8)
    full, pivot, cushion = length + arm, (-depth, seat, 0), seat - 0.12
    # Faces that lie against each other are left out: nobody sees the points on them.
    parts = [
        box((-depth, depth), (feet, cushion), (-length, length), ("+y", "-x", "-z", "+z")),
        box((-depth - 0.18, -depth), (feet, seat), (-full, full), ("+x", "+y")),
        turned(box((-depth - 0.18, -depth), (seat, back), (-full, full), ("-y",)), "z", tilt, about=pivot),
    ]
    for side, inner in ((-1, "+z"), (1, "-z")):
        z = sorted((side * length, side * full))
        parts += [
            box((-depth, depth), (feet, seat), z, ("-x", "+y", inner)),
            box((-depth, depth), (seat, arm_top), z, ("-x", "-y")),
        ]
        parts += [
            box((x, x + 0.08), (0, feet), (side * (full - 0.1), side * (full - 0.02)), ("+y",))
            for x in (-depth - 0.14, depth - 0.12)
        ]
    edges = np.linspace(-length, length, int(round(length / 0.32)) + 1)
    for start, end in zip(edges[:-1] + 0.015, edges[1:] - 0.015):
        parts.append(box((-depth, depth + 0.04), (cushion, seat), (start, end), ("-x", "-y")))
        pillow = box((-depth, -depth + 0.13), (seat, back - 0.04), (start, end), ("-x", "-y"))
        parts.append(turned(pillow, "z", tilt, about=pivot))
    return parts


def stairs(uniform):
    num_steps, run, rise, width = int(uniform(5, 11)), 0.28, uniform(0.15, 0.28), uniform(0.35, 0.6)
    parts, closed = [], uniform() < 0.6
    for step in range(num_steps):
        z, y = step * run, (step + 1) * rise
        parts.append(box((-width, width), (y - 0.04, y), (z - 0.03, z + run)))
        if closed:
            parts.append(box((-width, width), (y - rise, y - 0.04), (z, z + 0.02)))
    end_z, end_y = num_steps * run, num_steps * rise
    stringer = np.array([(0, 0), (run, 0), (end_z, end_y - rise), (end_z, end_y), (0, rise)])
    parts.append(both_sides(solid([np.insert(stringer[:, ::-1], 0, x, axis=1) for x in (width, width + 0.04)])))
    if uniform() < 0.6:
        rail = uniform(0.6, 0.85)
        ends = [(width, y + rail, z) for y, z in ((rise, 0.1), (end_y, end_z - 0.18))]
        parts.append(both_sides(tube(ends, 0.03, sides=8)))
        for step in range(0, num_steps, 2):
            z, y = step * run + 0.1, (step + 1) * rise
            parts.append(both_sides(tube([(width, y, z), (width, y + rail, z)], 0.02, sides=8)))
    return parts


def table(uniform):
    length, width, height, top = uniform(0.7, 1.2), uniform(0.45, 0.65), uniform(0.55, 0.85), uniform(0.03, 0.07)
    leg = uniform(0.03, 0.06)
    if uniform() < 0.35:  # round, on one leg
        radius, foot = uniform(0.55, 0.8), uniform(0.28, 0.42)
        return [
            solid(ellipses(radius, radius, [height, height + top], sides=32)),
            lathe([(0, 0), (foot, 0), (foot, 0.04), (1.3 * leg, 0.14), (leg, 0.5 * height), (1.5 * leg, height)]),
        ]
    inset = uniform(0.03, 0.12)
    parts = [box((-width, width), (height, height + top), (-length, length))]
    for z in (inset - length, length - inset):
        parts.append(both_sides(tube([(width - inset, 0, z), (width - inset, height, z)], [leg, 1.3 * leg], sides=8)))
    return parts


def toilet(uniform):
    width, length, rim, base = uniform(0.3, 0.46), uniform(0.42, 0.64), uniform(0.6, 0.95), uniform(0.5, 0.85)
    shares = np.array([base, base - 0.05, base - 0.1, 0.8, 1.0, 1.05, 1.05, 0.78, 0.7, 0.4, 0.02])
    heights = np.array([0, 0.1, 0.4, 0.72, 0.93, 0.95, 1.0, 1.0, 0.9, 0.6, 0.5]) * rim
    centers = np.array([0.12, 0.12, 0.12, 0.04, 0, 0, 0, 0, 0, 0.05, 0.05])
    parts = [loft(ellipses(shares * width, shares * length, heights, centers))]
    tank, tank_top, depth = width * uniform(1.0, 1.4), rim + uniform(0.45, 0.9), uniform(0.2, 0.34)
    back = length + 0.08
    parts += [
        box((-tank, tank), (rim, tank_top), (back, back + depth)),
        box((-tank - 0.03, tank + 0.03), (tank_top, tank_top + 0.05), (back - 0.03, back + depth + 0.03)),
        box((-0.75 * width, 0.75 * width), (0.75 * rim, rim), (0.75 * length, back + depth)),
    ]
    if uniform() < 0.6:  # the lid leans against the tank
        reach = uniform(0.42, 0.5) * (tank_top - rim)
        lid = solid(ellipses(width, reach, [0, 0.03], -reach))
        parts.append(turned(lid, "x", 85) + (0, rim + 0.02, back - 0.04))
    return parts
