class Point:
    def __init__(self, x, y):
        self.x = x
        

    def moved(self, dx, dy):
        return Point(self.x + dx, self.y + dy)
