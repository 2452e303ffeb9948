import TinyModels
import TinyRunner
import TinyTokenizer

/// The model that answers, and what it is called.
struct ServedModel: Sendable {
    /// What clients call it; the first of its names.
    let name: String
    let aliases: [String]
    let tokenizer: Tokenizer
    /// Nil if the model's files do not say how a conversation is framed.
    var template: ChatTemplate?
    /// The most tokens of a text, prompt and continuation.
    let context: Int
    /// Tokens at which a text ends.
    let endOfText: Set<Int>
    /// Seconds since 1970 at which it was loaded.
    let created: Int
    /// Changes where the same request may get another answer: another model, or other arithmetic.
    let fingerprint: String

    /// - Throws: why there is no tokenizer.
    init(_ model: Model, name: String? = nil, aliases: [String] = [], context: Int, created: Int) throws {
        self.name = name ?? Self.name(of: model.path)
        self.aliases = aliases
        tokenizer = try model.tokenizer
        template = try? model.chatTemplate()
        self.context = context
        endOfText = model.endOfText
        self.created = created
        fingerprint = "fp_\(model.family)_\(model.instructionSet)".lowercased()
    }

    var names: [String] { [name] + aliases.filter { $0 != name } }

    /// - Parameter asked: the request's `model`; nil, or empty, means whichever there is.
    func check(_ asked: String?) throws(APIError) {
        guard let asked, !asked.isEmpty, !names.contains(asked) else { return }
        throw .model(asked, served: names)
    }

    /// A file's name without its suffix, or a folder's.
    static func name(of path: String) -> String {
        let last = path.split(separator: "/").last.map(String.init) ?? path
        for suffix in [".gguf", ".safetensors"] where last.hasSuffix(suffix) && last.count > suffix.count {
            return String(last.dropLast(suffix.count))
        }
        return last
    }

    /// The tokens of a conversation as the model's template frames it.
    func tokens(of conversation: Conversation) throws(APIError) -> [Int] {
        guard let template else {
            throw APIError(
                status: 400,
                "\(name) has no chat template, so there is no way to put a conversation to it; use /v1/completions.",
                code: "no_chat_template")
        }
        do { return try template.tokens(of: conversation) } catch { throw APIError(error, parameter: "messages") }
    }

    /// The tokens of a text, with what the model wants in front of every text.
    func tokens(of text: String) -> [Int] { tokenizer.encodePrompt(text) }
}
