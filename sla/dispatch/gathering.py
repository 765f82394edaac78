"""Which of what waits is told together: objectives of one service, and all that came down a chain of causes."""

from __future__ import annotations

from typing import Final

from sla.dispatch.atom import Atom, Item
from sla.dispatch.event import service_of

GROUPS_APART_MAX: Final = 3
"""More groups than this waiting at a time are a storm, and one message."""


def gather(atom: Atom, item: Item) -> str:
    """The root of the group that an item belongs to, there or not yet; groups that it links become one.

    An event names one cause. Of a chain, shop on pay on ledger, any two may come first, and each names its neighbour.
    """
    groups = atom.groups
    if len(groups) > GROUPS_APART_MAX:
        return item.root  # all of them leave together
    if item.root in groups and item.root == service_of(item.key):
        return item.root
    names = {item.root, service_of(item.key)}
    linked = [root for root, group in groups.items() if not names.isdisjoint(group.names)]
    if not linked:
        return item.root
    first, *others = sorted(linked, key=lambda root: groups[root].due_at)
    for root in others:
        joining = groups.pop(root)
        groups[first].names |= joining.names
        for each in joining.items:
            groups[first].add(atom, first, each)
    return first
