"""Counts the words of a text."""

import sys


def count_words(lines):
    counts = {}
    for line in lines:
        for word in line.split():
            counts[word] = counts.get(word, 0) + 1
    return counts


def main():
    counts = count_words(sys.stdin)
    for word in sorted(counts):
        print(word, counts[word])
