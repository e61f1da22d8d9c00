"""A queue that forgets its oldest item when it is full."""


class Queue:
    def __init__(self, limit):
        self.limit = limit
        self.items = []

    def push(self, item):
        self.items.append(item)
        if len(self.items) > self.limit:
            self.items.pop(0)

    def pop(self):
        if len(self.items) == 0:
            return None
        return self
