"""The walker through a config, on which all checks are built."""

from mmengine.config import Config

from sr4ir_mm.config.nodes import all_dicts, find_all, nodes_along, walk

CFG = Config(dict(a=dict(b=[dict(c=1), (2, dict(c=3))], d='x')))


def test_all_entries_with_their_paths():
    found = {'.'.join(path): value for path, value in walk(CFG)}
    assert list(found) == ['', 'a', 'a.b', 'a.b.0', 'a.b.0.c', 'a.b.1', 'a.b.1.0', 'a.b.1.1', 'a.b.1.1.c', 'a.d']
    assert found['a.b.1.1.c'] == 3 and found['a.d'] == 'x'


def test_dicts_and_values_in_the_order_of_the_config():
    assert list(find_all(CFG, 'c')) == [1, 3]
    assert [sorted(node) for node in all_dicts(CFG.a)] == [['b', 'd'], ['c'], ['c']]


def test_dicts_may_change_meanwhile():
    cfg = Config(dict(a=dict(b=dict(c=1))))
    for node in all_dicts(cfg.a):
        node.pop('b', None)
    assert cfg.a == {}


def test_a_path_ends_where_options_cannot_go_on():
    assert nodes_along(CFG, ['a', 'b', '0', 'c'])[1:] == [CFG.a, CFG.a.b, CFG.a.b[0], 1]
    assert len(nodes_along(CFG, ['a', 'b', '1', '0'])) == 4  # a tuple
    assert len(nodes_along(CFG, ['a', 'x'])) == 2
