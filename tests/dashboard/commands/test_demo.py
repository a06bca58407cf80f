"""`tact demo` where the demo is there already."""


def test_a_second_time_it_says_where_the_demo_is_and_how_to_open_it(tact, demo_world):
    again = tact("--workspace", demo_world, "demo")
    assert again.code == 0
    assert f"is there already: {demo_world}" in " ".join(again.out.split())
    assert "tact serve" in again.out
    assert "delete that folder" in again.out


def test_another_demo_needs_another_folder(tact, demo_world):
    other = tact("--workspace", demo_world, "demo", "--seed", "9")
    assert other.code == 3
    assert "already has a demo" in other.err
