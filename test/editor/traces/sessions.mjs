// What is typed for the traces: real code of our own, at the end of files and in the middle of one.

const readingList = `"""Keeps a reading list: what to read, what was read, and what is left."""

from dataclasses import dataclass


@dataclass
class Book:
    title: str
    author: str
    pages: int
    pages_read: int = 0

    def is_finished(self):
        return self.pages_read >= self.pages

    def pages_left(self):
        return self.pages - self.pages_read


class ReadingList:
    def __init__(self):
        self.books = []

    def add(self, title, author, pages):
        book = Book(title, author, pages)
        self.books.append(book)
        return book

    def find(self, title):
        for book in self.books:
            if book.title == title:
                return book
        return None

    def unfinished(self):
        return [book for book in self.books if not book.is_finished()]

    `;

const visitCounter = `// Counts visits to pages and how long they took.

export interface Visit {
  readonly page: string;
  readonly seconds: number;
}

export class VisitCounter {
  private readonly visits: Visit[] = [];

  add(page: string, seconds: number): void {
    this.visits.push({ page, seconds });
  }

  count(page: string): number {
    return this.visits.filter((visit) => visit.page === page).length;
  }

  pages(): string[] {
    return [...new Set(this.visits.map((visit) => visit.page))];
  }
}
`;

const weather = `"""Summaries of a weather station's readings."""


class Station:
    def __init__(self, name, height):
        self.name = name
        self.height = height
        self.readings = []

    def add(self, day, celsius):
        self.readings.append((day, celsius))

    def warmest(self):
        return max(celsius for day, celsius in self.readings)

    def coldest(self):
        return min(celsius for day, celsius in self.readings)

    def mean(self):
        total = 0
        for day, celsius in self.readings:
            total += celsius
        return total / len(self.readings)

    def frost_days(self):
        return [day for day, celsius in self.readings if celsius < 0]


def describe(station):
    print(station.name, station.height)
    print("warmest", station.warmest())
    print("coldest", station.coldest())


def main():
    station = Station("Hill", 812)
    station.add("Monday", 4.5)
    station.add("Tuesday", -1.0)
    describe(station)
`;

/** `line` and `column`, from 1, say where it begins; \`result\` is a part of the text that has to be there at the end. */
export const sessions = [
  {
    name: "python-new-methods",
    file: "reading_list.py",
    text: readingList,
    line: 40,
    column: 5,
    seed: 1,
    steps: [
      "def finished(self):\nreturn [book for book in self.books if book.is_finished()]\n\n",
      { key: "Backspace" },
      "def pages_left(self):\ntotal = 0\nfor book in self.books:\ntotal += book.pages_left()\n",
      { key: "Backspace" },
      "return total\n",
    ],
    results: [
      `    def finished(self):
        return [book for book in self.books if book.is_finished()]

    def pages_left(self):
        total = 0
        for book in self.books:
            total += book.pages_left()
        return total
`,
    ],
  },
  {
    name: "typescript-new-method",
    file: "visitCounter.ts",
    text: visitCounter,
    line: 21,
    column: 4,
    seed: 2,
    steps: [
      "\n\ntotalSeconds(page: string): number {\nlet total = 0;\nfor (const visit of this.visits) {\n",
      "if (visit.page === page) {\ntotal += visit.seconds;",
      { key: "ArrowDown", times: 2 },
      { key: "End" },
      "\nreturn total;",
    ],
    results: [
      `  totalSeconds(page: string): number {
    let total = 0;
    for (const visit of this.visits) {
      if (visit.page === page) {
        total += visit.seconds;
      }
    }
    return total;
  }
}
`,
    ],
  },
  {
    name: "python-edits-in-the-middle",
    file: "weather.py",
    text: weather,
    line: 19,
    column: 1,
    seed: 3,
    steps: [
      { key: "End" },
      "\nif not self.readings:\nreturn None",
      { key: "ArrowDown", times: 4 },
      { key: "End" },
      "\n\n",
      { key: "Backspace" },
      "def spread(self):\nreturn self.warmest() - self.coldest()",
      { key: "ArrowDown", times: 9 },
      { key: "End" },
      '\nprint("mean", station.mean())\nprint("frost", station.frost_days())',
    ],
    results: [
      "        if not self.readings:\n            return None\n        total = 0\n",
      "\n    def spread(self):\n        return self.warmest() - self.coldest()\n\n    def frost_days",
      '    print("mean", station.mean())\n    print("frost", station.frost_days())\n\n',
    ],
  },
];
