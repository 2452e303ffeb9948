import TinyJSON
import TinyRunner

/// A request that has texts continued, from its fields to its answer: a value that knows nothing of HTTP, so that a test can
/// play it through.
///
/// An answer is either one JSON value, or events: `opening`, then those of every event of the engine, then `closing`, or
/// `failure` where something goes wrong on the way.
protocol Exchange: Sendable {
    /// Which route's errors and field names it has.
    static var style: WireStyle { get }
    /// The field that holds the text, for errors about its length.
    static var promptField: String { get }

    /// The model that was asked for.
    var model: String? { get }
    /// Whether the answer is a stream of events.
    var streams: Bool { get }

    /// - Throws: an error that names the field.
    init(_ fields: FieldReader) throws(APIError)

    /// The texts to be continued, one for each choice of the answer, in their order.
    mutating func requests(to model: ServedModel) throws(APIError) -> [Engine.Request]

    /// - Parameter identity: what the answer is called; the same in all its parts.
    func answer(_ completions: [Completion], of model: ServedModel, _ identity: AnswerIdentity) -> JSON

    mutating func opening(of model: ServedModel, _ identity: AnswerIdentity) -> [ServerSentEvent]
    mutating func events(
        for event: Engine.Event, choice: Int, of model: ServedModel, _ identity: AnswerIdentity
    ) -> [ServerSentEvent]
    mutating func closing(of model: ServedModel, _ identity: AnswerIdentity) -> [ServerSentEvent]
    func failure(_ error: APIError) -> [ServerSentEvent]
}

/// What tells one answer from another.
struct AnswerIdentity: Sendable {
    /// Letters and digits; each API has its own prefix for it.
    let id: String
    /// Seconds since 1970.
    let created: Int

    init(id: String, created: Int) { (self.id, self.created) = (id, created) }

    /// A new one, at random.
    init(created: Int) {
        let letters = Array("ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz23456789")
        var generator = SystemRandomNumberGenerator()
        self.init(
            id: String((0..<24).map { _ in letters[Int.random(in: letters.indices, using: &generator)] }),
            created: created)
    }
}

/// Tokens of a request and its answer.
struct Usage: Sendable, Equatable {
    var prompt = 0
    /// Of these, tokens that were in the cache.
    var cached = 0
    var completion = 0

    init() {}

    /// Choices that share a prompt count it once.
    ///
    /// - Parameter choices: how many choices there are for each prompt; those of one prompt stand together.
    init(_ completions: [Completion], choices: Int = 1) {
        for (index, completion) in completions.enumerated() { add(completion, countsPrompt: index % choices == 0) }
    }

    mutating func add(_ completion: Completion, countsPrompt: Bool = true) {
        if countsPrompt {
            prompt += completion.promptTokens
            cached += completion.cachedTokens
        }
        self.completion += completion.completionTokens
    }
}
