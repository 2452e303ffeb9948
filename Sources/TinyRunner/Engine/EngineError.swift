/// Why an engine does not do what it was asked.
public enum EngineError: Error, Equatable, CustomStringConvertible {
    /// As many requests wait as may.
    case queueFull(limit: Int)
    /// More tokens than a slot holds: a prompt needs room for one more.
    case promptTooLong(tokens: Int, context: Int)
    /// More time than the request was given.
    case timeLimit(seconds: Double, isWaiting: Bool)
    /// It is being shut down.
    case draining
    /// What was asked for needs more memory than there is.
    case noRoom(Engine.Plan)

    public var description: String {
        switch self {
        case .queueFull(let limit):
            "\(limit) requests wait already, and no more may; try again later"
        case .promptTooLong(let tokens, let context):
            "the prompt has \(tokens) tokens, and at most \(max(0, context - 1)) fit into a context of \(context) with room for an answer"
        case .timeLimit(let seconds, let isWaiting):
            "the request \(isWaiting ? "waited" : "was not done") within its \(seconds.fixed(1)) seconds"
        case .draining: "the engine is being shut down and takes no more requests"
        case .noRoom(let plan): plan.refusal
        }
    }
}
