import TinyJSON
import TinyTokenizer

/// `POST /tokenize`: the tokens of a text.
struct TokenizeQuestion: Sendable {
    let text: String
    /// Whether what the model wants in front of a text is added.
    let adds: Bool
    /// Whether the texts of special tokens are read as these.
    let parses: Bool
    let withPieces: Bool

    init(_ fields: FieldReader) throws(APIError) {
        var fields = fields
        _ = try fields.string("model")
        text = try fields.requiredString("content")
        adds = try fields.bool("add_special") ?? false
        parses = try fields.bool("parse_special") ?? false
        withPieces = try fields.bool("with_pieces") ?? false
        try fields.finish()
    }

    func answer(_ model: ServedModel) -> JSON {
        let tokenizer = model.tokenizer
        let tokens =
            adds
            ? tokenizer.encodePrompt(text, special: parses) : tokenizer.encode(text, special: parses)
        guard withPieces else { return ["tokens": .array(tokens.map { .integer($0) })] }
        // What is part of a character is told as bytes.
        let pieces = zip(tokens, tokenizer.pieces(tokens)).map { token, bytes -> JSON in
            let text = String(validating: bytes, as: UTF8.self).map(JSON.string)
            return ["id": .integer(token), "piece": text ?? .array(bytes.map { .integer(Int($0)) })]
        }
        return ["tokens": .array(pieces)]
    }
}

/// `POST /detokenize`: the text of tokens.
struct DetokenizeQuestion: Sendable {
    let tokens: [Int]

    init(_ fields: FieldReader) throws(APIError) {
        var fields = fields
        _ = try fields.string("model")
        let expected = "an array of token ids"
        _ = try fields.required("tokens", expected)
        var tokens: [Int] = []
        for (index, value) in (try fields.array("tokens") ?? []).enumerated() {
            guard case .integer(let id) = value else {
                throw fields.wrongType("tokens[\(index)]", value, "a token id")
            }
            tokens.append(id)
        }
        self.tokens = tokens
        try fields.finish()
    }

    func answer(_ model: ServedModel) throws(APIError) -> JSON {
        for (index, token) in tokens.enumerated() where model.tokenizer.bytes(of: token) == nil {
            throw .field("tokens[\(index)]", "is \(token), which is no token of \(model.name).", code: "invalid_value")
        }
        do { return ["content": .string(try model.tokenizer.decode(tokens))] } catch {
            throw .internalError
        }
    }
}
