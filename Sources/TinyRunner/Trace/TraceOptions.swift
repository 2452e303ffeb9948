/// What is recorded of a text.
public struct TraceOptions: Sendable {
    /// How many candidates are kept at each place.
    public var top: Int
    /// Whether every token of the text is scored, not only what comes behind the last one.
    public var scoresText: Bool
    /// How many of the likeliest tokens to append to the text, one after the other.
    public var steps: Int
    /// Layers after which the model is asked what it would say if it stopped there; 0 is the stem.
    public var lens: [Int]
    /// Layers whose attention is kept, from 1 on.
    public var attention: [Int]

    public init(top: Int = 10, scoresText: Bool = true, steps: Int = 0, lens: [Int] = [], attention: [Int] = []) {
        self.top = top
        self.scoresText = scoresText
        self.steps = steps
        self.lens = lens
        self.attention = attention
    }

    func check() throws(RunnerError) {
        if top < 1 { throw .badParameter(name: "top", value: "\(top)", expected: "a number from 1 on") }
        if steps < 0 { throw .badParameter(name: "steps", value: "\(steps)", expected: "a number from 0 on") }
    }
}
