"""Points in the plane and the distances between them."""

import math


class Point:
    def __init__(self, x, y):
        self.x = x
        self.y = y

    def distance(self, other):
        """Return the distance to another point."""
        return math.hypot(self.x - other.x, self.y - other.y)


def longest_step(points):
    """Return the largest distance between two neighbours."""
    longest = 0
    for first, second in zip(points, points[1:]):
        longest = max(longest, first.distance(second))
    return longest


def main():
    points = [Point(0, 0), Point(3, 4), Point(3, 10)]
    print(longest_step(points))
