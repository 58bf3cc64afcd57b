import pytest

from mcubnn.artifacts import StackUsage
from mcubnn.build.stack import (
    LIBRARY_BYTES,
    VENEER_BYTES,
    cover_veneers,
    read_call_graph,
    worst_case,
)
from mcubnn.errors import BuildError


def node(name: str, frame: str) -> str:
    return f'node: {{ title: "{name}" label: "{name}\\nsrc/a.c:1:1\\n{frame}" }}'


def edge(caller: str, callee: str) -> str:
    return f'edge: {{ sourcename: "{caller}" targetname: "{callee}" label: "src/a.c:2:2" }}'


def external(name: str) -> str:
    return f'node: {{ title: "{name}" label: "{name}\\nsrc/a.h:1:1" shape : ellipse }}'


def usage(*lines: str) -> StackUsage:
    return worst_case(read_call_graph(["\n".join(lines)]), "main")


def test_deepest_path_wins_over_the_longest_one() -> None:
    found = usage(
        node("main", "8 bytes (static)"),
        edge("main", "a"),
        edge("main", "src/a.c:big.constprop.0"),
        node("a", "4 bytes (static)"),
        edge("a", "b"),
        node("b", "4 bytes (static)"),
        node("src/a.c:big.constprop.0", "100 bytes (static)"),
    )
    assert found == StackUsage(108, ("main", "src/a.c:big.constprop.0"))


def test_functions_of_other_files_are_joined_by_name() -> None:
    first = "\n".join([node("main", "8 bytes (static)"), external("f"), edge("main", "f")])
    second = node("f", "24 bytes (static)")
    assert worst_case(read_call_graph([first, second]), "main").worst_case_bytes == 32


def test_larger_of_a_weak_function_and_its_replacement_counts() -> None:
    found = usage(node("main", "0 bytes (static)"), edge("main", "f"),
                  node("f", "40 bytes (static)"), node("f", "0 bytes (static)"))  # fmt: skip
    assert found.worst_case_bytes == 40


def test_library_function_counts_with_its_documented_constant() -> None:
    found = usage(node("main", "8 bytes (static)"), edge("main", "memcpy"))
    assert found == StackUsage(8 + LIBRARY_BYTES, ("main", "memcpy"))


def test_frame_smaller_than_a_veneers_counts_as_one() -> None:
    lines = (node("main", "8 bytes (static)"), edge("main", "f"), node("f", "0 bytes (static)"))
    graph = read_call_graph(["\n".join(lines)])
    cover_veneers(graph)
    assert worst_case(graph, "main") == StackUsage(8 + VENEER_BYTES, ("main", "f"))


def test_bounded_dynamic_frame_is_accepted() -> None:
    assert usage(node("main", "16 bytes (dynamic,bounded)")).worst_case_bytes == 16


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ([edge("main", "__indirect_call")], "main: calls through a pointer"),
        ([edge("main", "main")], "main: recursion: main -> main"),
        (
            [edge("main", "a"), node("a", "0 bytes (static)"), edge("a", "b"),
             node("b", "0 bytes (static)"), edge("b", "a")],
            "a: recursion: a -> b -> a",
        ),
        ([edge("main", "v"), node("v", "8 bytes (dynamic)")], "v: its frame has a variable size"),
        ([external("puts"), edge("main", "puts")], "puts: no stack information; called by main"),
    ],
)  # fmt: skip
def test_unbounded_stack_names_the_function(lines: list[str], message: str) -> None:
    with pytest.raises(BuildError, match=message):
        usage(node("main", "8 bytes (static)"), *lines)


def test_all_problems_are_named_at_once() -> None:
    with pytest.raises(BuildError, match=r"main: calls through a pointer\nputs: no stack"):
        usage(
            node("main", "8 bytes (static)"), edge("main", "puts"), edge("main", "__indirect_call")
        )
