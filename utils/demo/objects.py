"""The objects that demo shapes are drawn from: one builder for each of 20 ModelNet40 classes.

A builder takes `uniform`, a generator's uniform(low, high) with uniform() in 0..1, and returns a list of the surfaces
(see `demo_parts`) of one object with random proportions, in no particular unit. Orientation is that of most ModelNet40
clouds: y up; noses, fronts and feet of beds towards -z; sofas and monitors look along +x; guitars lie on their backs.
"""

import numpy as np

from utils.demo.parts import (
    ball,
    both_sides,
    box,
    ellipses,
    lathe,
    loft,
    panel,
    plate,
    rectangle,
    solid,
    spline,
    tube,
    turned,
    wing,
)


def airplane(uniform):
    radius, wing_z, sweep, span = uniform(0.08, 0.12), uniform(-0.35, -0.1), uniform(0.1, 0.5), uniform(0.7, 1.05)
    stations = np.array([-1, -0.98, -0.92, -0.8, -0.62, 0.35, 0.7, 0.95, 1.0])
    girth = np.array([0.02, 0.3, 0.6, 0.88, 1, 1, 0.7, 0.3, 0.12])
    lift = np.array([-0.2, -0.2, -0.15, -0.05, 0, 0, 0.3, 0.65, 0.75])
    axis = np.stack([0 * stations, lift * radius, stations], axis=1)
    chord, dihedral = uniform(0.35, 0.5), uniform(0.0, 0.12)
    main_wing = wing((0.7 * radius, -0.4 * radius, wing_z), (span, dihedral, wing_z + sweep), chord, 0.35 * chord)
    tail = wing((0.2 * radius, 0.4 * radius, 0.72), (uniform(0.3, 0.42), 0.06, 0.86), 0.22, 0.12)
    fin = turned(wing((0.5 * radius, 0, 0.67), (radius + uniform(0.28, 0.42), 0, 0.88), 0.28, 0.13), "z", 90)
    engines = []
    for share in ([], [0.35], [0.3, 0.55])[int(uniform(0, 3))]:
        x, y, z = share * span, share * dihedral - 0.85 * radius, wing_z + share * sweep
        nacelle = [(x, y, z - 0.12), (x, y, z - 0.07), (x, y, z + 0.12), (x, y, z + 0.2)]
        engines.append(both_sides(tube(nacelle, 0.45 * radius * np.array([0.8, 1, 0.9, 0.5]))))
    return [tube(axis, girth * radius, sides=20), both_sides(main_wing), both_sides(tail), fin] + engines


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


def bottle(uniform):
    radius, shoulder, neck = uniform(0.24, 0.42), uniform(-0.1, 0.3), uniform(0.26, 0.42)
    neck_start, lip = shoulder + uniform(0.22, 0.4), uniform(1.1, 1.35)
    curve = spline(
        [
            (1, shoulder),
            (0.9, shoulder + 0.3 * (neck_start - shoulder)),
            (neck + 0.12, neck_start - 0.03),
            (neck, neck_start + 0.05),
        ]
    )
    foot, top = [(0, -0.97), (0.85, -1), (1, -0.95)], [(neck, 0.9), (lip * neck, 0.9), (lip * neck, 1), (0, 1)]
    return [lathe(np.concatenate([foot, curve, top]) * (radius, 1))]


def car(uniform):
    width, belt, roof, wheel = uniform(0.34, 0.5), uniform(0.34, 0.44), uniform(0.58, 0.95), uniform(0.14, 0.2)
    nose, hood = uniform(0.26, 0.34), uniform(0.34, 0.4)
    side = spline(
        [(-1, 0.14), (-1.02, nose), (-0.6, hood), (0, belt), (0.7, belt), (1, belt - 0.06), (0.98, 0.14), (0, 0.11)],
        closed=True,
        steps=4,
    )
    middle = side.mean(axis=0)
    body = [
        np.insert((middle + share * (side - middle))[:, ::-1], 0, x * width, axis=1)
        for x, share in ((-1, 0.93), (-0.93, 1), (0.93, 1), (1, 0.93))
    ]
    front, rear = uniform(-0.65, -0.3), uniform(0.4, 0.97)
    windshield, rear_window = uniform(0.15, 0.32) * (rear - front), uniform(0.08, 0.32) * (rear - front)
    cabin = [
        rectangle((-0.9 * width, 0.9 * width), belt - 0.03, (front, rear)),
        rectangle((-0.74 * width, 0.74 * width), roof - 0.02, (front + windshield, rear - rear_window)),
        rectangle((-0.66 * width, 0.66 * width), roof, (front + windshield + 0.05, rear - rear_window - 0.05)),
    ]
    parts = [solid(body), loft(cabin), panel(cabin[-1])]
    for z in (-uniform(0.58, 0.66), uniform(0.55, 0.64)):
        parts.append(both_sides(tube([(width - 0.1, wheel, z), (width + 0.03, wheel, z)], wheel, sides=20)))
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


def cone(uniform):
    height, radius, tip = uniform(1.4, 2.4), uniform(0.42, 0.62), uniform(0.0, 0.1)
    if uniform() < 0.6:
        edge = radius + uniform(0.12, 0.25)
        return [box((-edge, edge), (-0.08, 0), (-edge, edge)), lathe([(radius, 0), (tip, height), (0, height)])]
    return [lathe([(0, 0), (radius, 0), (tip, height), (0, height)])]


def cup(uniform):
    height, foot, rim, wall = uniform(0.9, 2.1), uniform(0.4, 0.72), uniform(0.65, 0.85), uniform(0.04, 0.08)
    side = spline([(foot, 0), (0.3 * foot + 0.7 * rim, uniform(0.45, 0.6) * height), (rim, height)])
    inside = np.stack([side[:, 0] - wall, np.maximum(side[:, 1], wall)], axis=1)
    angles, low, high = np.linspace(-90, 90, 13), uniform(0.15, 0.3) * height, uniform(0.75, 0.9) * height
    reach, middle = uniform(0.32, 0.6), (low + high) / 2
    attached = np.interp([low, high], side[:, 1], side[:, 0]).min() - wall / 2
    handle = np.stack(
        [
            attached + reach * np.cos(np.radians(angles)),
            middle + (high - low) / 2 * np.sin(np.radians(angles)),
            0 * angles,
        ],
        axis=1,
    )
    return [lathe(np.concatenate([[(0, 0)], side, inside[::-1], [(0, wall)]])), tube(handle, uniform(0.05, 0.09))]


def guitar(uniform):
    lower, waist, upper = uniform(0.36, 0.46), uniform(0.2, 0.27), uniform(0.27, 0.34)
    depth, neck_end, neck = uniform(0.06, 0.12), uniform(0.75, 1.0), uniform(0.035, 0.05)
    half = [(0.75 * lower, -0.96), (lower, -0.72), (waist, -0.4), (upper, -0.13), (0.65 * upper, 0.0)]
    mirrored_half = [(-x, z) for x, z in reversed(half)]
    outline = spline([(0, -1.02)] + half + [(0, 0.02)] + mirrored_half, closed=True)
    middle = np.array([0, uniform(-0.34, -0.26)])
    spokes = outline - middle
    hole = middle + uniform(0.09, 0.13) * spokes / np.hypot(spokes[:, :1], spokes[:, 1:])
    back, front, edge = (
        np.insert(ring, 1, y, axis=1) for ring, y in ((outline, -depth), (outline, depth), (hole, depth))
    )
    head = [
        (-neck, neck_end),
        (neck, neck_end),
        (0.095, neck_end + 0.06),
        (0.08, neck_end + 0.28),
        (-0.08, neck_end + 0.28),
        (-0.095, neck_end + 0.06),
    ]
    pegs = [
        both_sides(tube([(0.07, depth, z), (0.15, depth, z)], 0.018, sides=8))
        for z in neck_end + np.array([0.09, 0.16, 0.23])
    ]
    return pegs + [
        panel(back),
        loft([back, front, edge]),
        plate(head, (depth - 0.02, depth + 0.02)),
        box((-neck, neck), (depth, depth + 0.05), (-0.16, neck_end)),
        box((-0.14, 0.14), (depth, depth + 0.025), (-0.7, -0.65)),
    ]


def lamp(uniform):
    shade, top, height = uniform(0.38, 0.62), uniform(0.4, 0.8), uniform(0.5, 0.75)
    if uniform() < 0.5:  # a table lamp
        foot, belly, stem = uniform(0.25, 0.38), uniform(0.2, 0.36), 1.0
        side = [(foot, 0), (foot, 0.06), (0.1, 0.16), (belly, uniform(0.3, 0.5)), (0.08, 0.8), (0.04, stem)]
        stand = [lathe([(0, 0), (foot, 0)]), lathe(spline(side))]
    else:  # a floor lamp
        foot, stem = uniform(0.3, 0.45), uniform(1.7, 2.3)
        stand = [lathe([(0, 0), (foot, 0), (foot, 0.05), (0, 0.09)]), tube([(0, 0.05, 0), (0, stem, 0)], 0.035)]
    rim = stem - 0.05
    return stand + [
        lathe([(shade, rim), (top * shade, rim + height)]),
        tube([(0, stem, 0), (0, rim + 0.8 * height, 0)], 0.03),
    ]


def laptop(uniform):
    width, depth, thickness, opening = uniform(0.6, 0.8), uniform(0.42, 0.55), uniform(0.03, 0.06), uniform(0, 38)
    screen = box((-width, width), (thickness, thickness + 2 * depth * uniform(0.88, 1)), (depth - 0.03, depth))
    screen = turned(screen, "x", opening, about=(0, thickness, depth))
    keys = [
        box((-0.85 * width, 0.85 * width), (thickness, thickness + 0.02), (z * depth, (z + 0.17) * depth))
        for z in (-0.1, 0.15, 0.4, 0.65)
    ]
    return [box((-width, width), (0, thickness), (-depth, depth)), screen] + keys


def monitor(uniform):
    width, height, gap, depth = uniform(0.62, 1.0), uniform(0.42, 0.6), uniform(0.14, 0.32), uniform(0.03, 0.06)
    base = uniform(0.24, 0.4)
    parts = [
        box((-depth, depth), (gap, gap + 2 * height), (-width, width)),
        box((-0.04, 0.04), (0.05, gap), (-0.1, 0.1)),
    ]
    if uniform() < 0.4:  # a bulge behind the screen, as of a tube
        bulge, share = uniform(0.15, 0.35), uniform(0.5, 0.7)
        behind = [
            rectangle((-height, height), 0, (-width, width)),
            rectangle((-share * height, share * height), bulge, (-share * width, share * width)),
        ]
        parts += [turned(piece, "z", 90) + (-depth, gap + height, 0) for piece in (loft(behind), panel(behind[1]))]
    if uniform() < 0.5:
        return parts + [lathe([(0, 0), (base, 0), (base, 0.03), (0.1, 0.06), (0, 0.06)])]
    return parts + [box((-base, base), (0, 0.05), (-1.4 * base, 1.4 * base))]


def person(uniform):
    bulk, torso = uniform(0.85, 1.3), np.array([0.155, 0.175, 0.145, 0.185, 0.19, 0.06])
    parts = [
        solid(ellipses(bulk * torso, 0.62 * bulk * torso, [0.84, 0.94, 1.12, 1.32, 1.42, 1.5])),
        tube([(0, 1.46, 0), (0, 1.58, 0)], 0.055),
        ball((0, 1.68, 0), (0.09, 0.13, 0.11)),
    ]
    for side in (-1, 1):
        spread, stride, lift, bend = uniform(1, 9), uniform(-20, 20), uniform(6, 75), uniform(0, 35)
        hip, shoulder = (0.09 * bulk * side, 0.9, 0), (0.18 * bulk * side, 1.4, 0)
        leg = [
            tube([hip, (hip[0], 0.48, 0), (hip[0], 0.06, 0)], bulk * np.array([0.085, 0.06, 0.045])),
            ball((hip[0], 0.04, -0.06), (0.05, 0.04, 0.13)),
        ]
        parts += [turned(turned(part, "x", stride, about=hip), "z", side * spread, about=hip) for part in leg]
        elbow, swing = (shoulder[0], 1.1, 0), np.radians(bend)
        hand = (elbow[0], 1.1 - 0.3 * np.cos(swing), -0.3 * np.sin(swing))
        arm = [tube([shoulder, elbow, hand], bulk * np.array([0.05, 0.042, 0.035])), ball(hand, (0.035, 0.07, 0.045))]
        parts += [turned(part, "z", side * lift, about=shoulder) for part in arm]
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


def tent(uniform):
    length, ridge, opened, peg = uniform(0.8, 1.2), uniform(0.75, 1.05), uniform(15, 50), uniform(0.2, 0.4)
    wall = uniform(0.12, 0.3) if uniform() < 0.6 else 0
    eaves = uniform(0.6, 0.9) * (0.8 if wall else 1)
    slope = np.array([(0, ridge, -length), (eaves, wall, -length), (eaves, wall, length), (0, ridge, length)])
    parts = [both_sides(panel(slope)), panel(rectangle((-eaves, eaves), 0, (-length, length)))]
    if wall:
        side = np.array([(eaves, 0, -length), (eaves, 0, length), (eaves, wall, length), (eaves, wall, -length)])
        parts.append(both_sides(panel(side)))
    gable = np.array([(0, 0, 0), (eaves, 0, 0), (eaves, wall, 0), (0, ridge, 0)])
    parts.append(both_sides(panel(gable)) + (0, 0, length))
    # The door is a slit in the front gable; its two halves swing out around the tent's sides.
    parts.append(both_sides(turned(panel(gable), "y", -opened, about=(eaves, 0, 0)) + (0, 0, -length)))
    for side in (-1, 1):
        parts.append(tube([(0, 0, side * length), (0, ridge + 0.06, side * length)], 0.02, sides=8))
        parts.append(tube([(0, ridge, side * length), (0, 0, side * (length + peg))], 0.012, sides=6))
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


def vase(uniform):
    foot, belly, neck = uniform(0.22, 0.4), uniform(0.5, 0.8), uniform(0.18, 0.34)
    middle, throat = uniform(0.55, 1.05), uniform(1.45, 1.7)
    side = spline(
        [
            (foot, 0),
            (0.5 * (foot + belly) + 0.05, 0.45 * middle),
            (belly, middle),
            (0.5 * (belly + neck), 0.55 * middle + 0.45 * throat),
            (neck, throat),
            (neck + uniform(0.1, 0.28), 2),
        ]
    )
    inside = side[::-1][:-1] * (0.93, 1)
    return [lathe(np.concatenate([[(0, 0)], side, inside, [(0, 0.1)]]))]


BUILDERS = {
    builder.__name__: builder
    for builder in (
        airplane,
        bed,
        bookshelf,
        bottle,
        car,
        chair,
        cone,
        cup,
        guitar,
        lamp,
        laptop,
        monitor,
        person,
        piano,
        sofa,
        stairs,
        table,
        tent,
        toilet,
        vase,
    )
}
