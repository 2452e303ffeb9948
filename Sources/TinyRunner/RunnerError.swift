public import TinyLayers

/// Why a model could not go on.
public enum RunnerError: Error, Equatable, CustomStringConvertible {
    /// Tokens that do not fit behind those already read.
    case contextFull(capacity: Int, held: Int, added: Int)
    /// More tokens than the model has positions for.
    case contextTooLong(limit: Int, wanted: Int)
    case tokenOutOfRange(token: Int, vocabulary: Int)
    case noTokens
    /// A parameter that makes no sense.
    case badParameter(name: String, value: String, expected: String)
    case noChatTemplate(file: String)
    case noChatTemplateNamed(String, file: String, available: [String])
    /// A template without a vocabulary.
    case noTokenizer(file: String)
    /// A conversation that is none.
    case badConversation(String)
    case badReference(file: String, reason: String)
    /// Two models that cut a text in different ways, from this token on.
    case differentTokens(String, String, position: Int)
    /// Fewer tokens than there have to be for one to be scored.
    case textTooShort(tokens: Int, needed: Int)
    /// A model that makes vectors of texts and does not continue them.
    case noContinuation(family: String)
    /// A model that sees a whole prompt at once, so that no token of it is predicted from those before it alone.
    case seesAhead(family: String)
    /// A model without an image tower.
    case noImages(family: String)
    /// A probe that asks for what the model does not have.
    case badProbe(point: Probe.Point, reason: String)
    /// Attention weights of so many tokens in so many layers that they would fill the memory.
    case tooManyWeights(count: Int, limit: Int, layers: Int, tokens: Int)
    /// More than a page can show.
    case pageTooLarge(what: String, count: Int, limit: Int, advice: String)
    /// Logits that are no numbers, so there is no probability for the token at this position of the text.
    case notANumber(position: Int)
    /// Memory that the system does not give.
    case noMemory(what: String)

    public var description: String {
        switch self {
        case .contextFull(let capacity, let held, let added):
            "the context is full: it holds \(held) of \(capacity) tokens, and \(added) more do not fit"
        case .contextTooLong(let limit, let wanted):
            "\(wanted) tokens are too many: the model was made for \(limit)"
        case .tokenOutOfRange(let token, let vocabulary):
            "there is no token \(token); the model knows 0 to \(vocabulary - 1)"
        case .noTokens: "there is nothing to read: the text has no tokens"
        case .badParameter(let name, let value, let expected): "\(name) is \(value); \(expected) is expected"
        case .noChatTemplate(let file):
            "\(file): the model's files hold no chat template, so they do not say how a conversation is framed"
        case .noChatTemplateNamed(let name, let file, let available):
            "\(file): there is no chat template \"\(name)\" among \(available.map { "\"\($0)\"" }.joined(separator: ", "))"
        case .noTokenizer(let file):
            "\(file): there is no tokenizer with the chat template, so its text has no tokens"
        case .badConversation(let reason): "not a conversation: \(reason)"
        case .badReference(let file, let reason): "\(file): \(reason)"
        case .differentTokens(let model, let original, let position):
            "\(model) and \(original) cut the text in different ways from token \(position) on; only models of one vocabulary "
                + "can be compared"
        case .textTooShort(let tokens, let needed):
            "the text is too short: it has \(tokens) \(tokens == 1 ? "token" : "tokens"), and at least \(needed) are "
                + "needed for one to be scored; take a longer text or a smaller window"
        case .noContinuation(let family):
            "\(family) is an encoder here: it reads a whole text and does not continue it"
        case .seesAhead(let family):
            "\(family) sees a whole prompt at once, so it does not say how likely a text's tokens are, one after the other"
        case .noImages(let family): "\(family) reads no images here"
        case .badProbe(let point, let reason): "there is no \(point) to look at: \(reason)"
        case .tooManyWeights(let count, let limit, let layers, let tokens):
            "the attention of \(tokens) tokens in \(layers) \(layers == 1 ? "layer" : "layers") is \(count) weights, and at "
                + "most \(limit) are kept; choose \(layers == 1 ? "" : "fewer layers or ")a shorter text"
        case .pageTooLarge(let what, let count, let limit, let advice):
            "the page would have \(count) \(what), and a browser shows at most \(limit); choose \(advice)"
        case .notANumber(let position):
            "the model gives no probability for token \(position) of the text: its logits are no numbers; `tinygpt verify` "
                + "finds the first layer that goes wrong"
        case .noMemory(let what): "there is no memory for \(what)"
        }
    }
}
