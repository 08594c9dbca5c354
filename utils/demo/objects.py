"""The objects that demo shapes are drawn from: one builder for each of 20 ModelNet40 classes.

A builder takes `uniform`, a generator's uniform(low, high) with uniform() in 0..1, and returns a list of the surfaces
(see `parts`) of one object with random proportions, in no particular unit. Orientation is that of most ModelNet40
clouds: y up; noses, fronts and feet of beds towards -z; sofas and monitors look along +x; guitars lie on their backs.
"""

from utils.demo import furniture, outdoors, tabletop

# By the name of the class, which is the function's own.
BUILDERS = {
    builder.__name__: builder
    for builder in (
        outdoors.airplane,
        furniture.bed,
        furniture.bookshelf,
        tabletop.bottle,
        outdoors.car,
        furniture.chair,
        outdoors.cone,
        tabletop.cup,
        tabletop.guitar,
        tabletop.lamp,
        tabletop.laptop,
        tabletop.monitor,
        outdoors.person,
        furniture.piano,
        furniture.sofa,
        furniture.stairs,
        furniture.table,
        outdoors.tent,
        furniture.toilet,
        tabletop.vase,
    )
}
