"""Demo objects that stand on tables or are carried about. A builder's argument and result are as `objects` says."""

import numpy as np

from utils.demo.parts import both_sides, box, lathe, loft, panel, plate, rectangle, spline, tube, turned


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
