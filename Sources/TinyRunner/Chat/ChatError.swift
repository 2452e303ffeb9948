/// Why a conversation cannot go on as it was asked to.
public enum ChatError: Error, Equatable, CustomStringConvertible {
    /// The conversation with its new message has more tokens than there is room for. Without so many of its oldest turns it
    /// would fit, with some room for the answer; nil if it would not fit without any of them.
    case tooLong(tokens: Int, capacity: Int, turnsToDrop: Int?)
    /// Nothing was asked that could be answered.
    case nothingToAnswer
    /// The last message has no answer yet, so no other can follow.
    case unanswered
    /// More turns than there are.
    case noSuchTurns(count: Int, held: Int)

    public var description: String {
        switch self {
        case .tooLong(let tokens, let capacity, let turns):
            "the conversation has \(tokens) tokens with this message, and \(capacity) are all there is room for, the answer "
                + "included; "
                + (turns.map { "without its oldest \($0 == 1 ? "turn" : "\($0) turns") it fits" }
                    ?? "it does not fit without its earlier turns either")
        case .nothingToAnswer: "nothing was asked yet that could be answered again"
        case .unanswered: "the last message has no answer yet; it is answered first, by regenerating"
        case .noSuchTurns(let count, let held):
            "\(count) turns cannot be dropped: \(held == 0 ? "there are none" : "there \(held == 1 ? "is" : "are") \(held)")"
        }
    }
}
