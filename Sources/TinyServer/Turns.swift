import TinyJSON
import TinyRunner

/// Who says what in a conversation, in turns: messages of one role that follow each other are one turn.
///
/// Many models' templates refuse two turns of one role, and Anthropic's interface says that such messages are put together.
struct Turns: Sendable, Equatable {
    typealias Role = Chat.Message.Role

    /// What stands between two texts that are put together.
    static let separator = "\n\n"

    private(set) var list: [Chat.Message] = []

    init() {}

    mutating func add(_ role: Role, _ text: String) {
        if let last = list.last, last.role == role {
            list[list.count - 1] = Chat.Message(role, last.text + Self.separator + text)
        } else {
            list.append(Chat.Message(role, text))
        }
    }

    /// What a chat template is given.
    ///
    /// - Parameter continuesLast: whether the last turn is an assistant's that the model goes on with.
    func conversation(continuesLast: Bool = false) -> Conversation {
        var conversation = Conversation(list)
        conversation.continuesLast = continuesLast
        return conversation
    }
}

extension FieldReader {
    /// A text, or an array of blocks that make one text; nil if the field is not there.
    ///
    /// - Parameters:
    ///   - blocks: of which types blocks may be.
    ///   - harmless: fields of a block that do not change the answer.
    mutating func text(
        _ key: String, blocks types: [String], harmless: Set<String> = []
    ) throws(APIError) -> String? {
        guard let value = value(key) else { return nil }
        switch value {
        case .string(let text): return text
        case .array:
            var text = ""
            for var block in try list(key) ?? [] {
                let type = try block.requiredString("type")
                guard types.contains(type) else {
                    let list = types.map { "\"\($0)\"" }.joined(separator: " and ")
                    throw .unsupported(
                        block.name("type"), "\(APIError.quoted(type)) is not supported here; only \(list) is.")
                }
                text += try block.requiredString("text")
                try block.finish(harmless: harmless)
            }
            return text
        default: throw wrongType(key, value, "a string, or an array of blocks of text")
        }
    }
}
