import TinyJSON
import TinyTokenizer

/// A text to be continued, as text or as the model's own tokens.
enum CompletionPrompt: Sendable, Equatable {
    case text(String)
    case tokens([Int])

    private static let expected = "a string, an array of strings, an array of token ids, or an array of such arrays"

    /// `prompt`: one text, or many.
    static func read(_ fields: inout FieldReader) throws(APIError) -> [CompletionPrompt] {
        let value = try fields.required("prompt", expected)
        switch value {
        case .string(let text): return [.text(text)]
        case .array(let values):
            guard let first = values.first else {
                throw .field("prompt", "is an empty array; \(expected) is expected.", code: "invalid_value")
            }
            if case .integer = first { return [.tokens(try ids(values, "prompt"))] }
            var prompts: [CompletionPrompt] = []
            for (index, value) in values.enumerated() {
                switch value {
                case .string(let text): prompts.append(.text(text))
                case .array(let values): prompts.append(.tokens(try ids(values, "prompt[\(index)]")))
                default: throw fields.wrongType("prompt[\(index)]", value, "a string, or an array of token ids")
                }
            }
            return prompts
        default: throw fields.wrongType("prompt", value, expected)
        }
    }

    private static func ids(_ values: [JSON], _ name: String) throws(APIError) -> [Int] {
        if values.isEmpty {
            throw .field(name, "is empty; at least one token is expected.", code: "invalid_value")
        }
        var ids: [Int] = []
        ids.reserveCapacity(values.count)
        for (index, value) in values.enumerated() {
            guard case .integer(let id) = value, id >= 0 else {
                throw .field(
                    "\(name)[\(index)]", "is no token id; a whole number from 0 on is expected.", code: "invalid_type")
            }
            ids.append(id)
        }
        return ids
    }

    func tokens(_ model: ServedModel) -> [Int] {
        switch self {
        case .text(let text): model.tokens(of: text)
        case .tokens(let ids): ids
        }
    }

    /// Ids that mean no token are refused before anybody asks for their text.
    func text(_ model: ServedModel) -> String {
        switch self {
        case .text(let text): text
        case .tokens(let ids): (try? model.tokenizer.decode(ids)) ?? ""
        }
    }
}
