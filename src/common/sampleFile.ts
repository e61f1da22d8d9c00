/** The file that `npm start` and the walkthrough complete. The starter model is small: the line follows from those above. */
export const sampleFile = { path: "media/sample/rectangle.py", line: 4, column: 9 } as const;
