"""Demo objects that are met outdoors. A builder's argument and result are as `objects` says."""

import numpy as np

from utils.demo.parts import (
    ball,
    both_sides,
    box,
    ellipses,
    lathe,
    loft,
    panel,
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


def cone(uniform):
    height, radius, tip = uniform(1.4, 2.4), uniform(0.42, 0.62), uniform(0.0, 0.1)
    if uniform() < 0.6:
        edge = radius + uniform(0.12, 0.25)
        return [box((-edge, edge), (-0.08, 0), (-edge, edge)), lathe([(radius, 0), (tip, height), (0, height)])]
    return [lathe([(0, 0), (radius, 0), (tip, height), (0, height)])]


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
