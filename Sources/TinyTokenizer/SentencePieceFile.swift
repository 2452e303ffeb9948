extension SentencePieceVocabulary {
    /// A `tokenizer.model`: SentencePiece's own file, a protobuf message.
    ///
    /// - Throws: on what is no such file, and by name on what a model asks for that is not supported.
    package init(modelFile bytes: [UInt8], file: String) throws(TokenizerError) {
        self.init(file: file, key: "pieces")
        var settings = Settings()
        var message = ProtobufReader(bytes, 0..<bytes.count, file: file)
        while let field = try message.next() {
            guard case .bytes(let range) = field.value else { continue }
            switch field.number {
            case 1: pieces.append(try Self.piece(bytes, range, pieces.count, file))
            case 2: try settings.read(bytes, range, file)
            case 3: try readNormalizer(bytes, range)
            default: break
            }
        }
        func refuse(_ key: String, _ found: String, _ expected: String) -> TokenizerError {
            TokenizerError(file: file, key: key, found: found, expected: expected)
        }
        if pieces.isEmpty { throw refuse("pieces", "none", "the pieces of a SentencePiece model") }
        switch settings.modelType {
        case 1: isBytePair = false
        case 2: isBytePair = true
        case let type:
            throw refuse("trainer_spec.model_type", "\(type)", "1 (unigram) or 2 (BPE); others are not supported")
        }
        if settings.hasSuffixSpaces {
            throw refuse("trainer_spec.treat_whitespace_as_suffix", "true", "false; it is not supported")
        }
        fallsBackToBytes = settings.fallsBackToBytes
        func control(_ text: String) -> Int? {
            pieces.firstIndex { $0.type == 3 && ExactText.equal($0.text, text) }
        }
        beginningOfText = control(settings.beginning)
        endOfText = control(settings.end)
    }

    private struct Settings {
        var modelType: UInt64 = 1
        var fallsBackToBytes = false
        var hasSuffixSpaces = false
        var beginning = "<s>"
        var end = "</s>"

        mutating func read(_ bytes: [UInt8], _ range: Range<Int>, _ file: String) throws(TokenizerError) {
            var message = ProtobufReader(bytes, range, file: file)
            while let field = try message.next() {
                switch (field.number, field.value) {
                case (3, .integer(let value)): modelType = value
                case (24, .integer(let value)): hasSuffixSpaces = value != 0
                case (35, .integer(let value)): fallsBackToBytes = value != 0
                case (46, .bytes(let range)): beginning = String(decoding: bytes[range], as: UTF8.self)
                case (47, .bytes(let range)): end = String(decoding: bytes[range], as: UTF8.self)
                default: break
                }
            }
        }
    }

    private mutating func readNormalizer(_ bytes: [UInt8], _ range: Range<Int>) throws(TokenizerError) {
        var message = ProtobufReader(bytes, range, file: file)
        while let field = try message.next() {
            switch (field.number, field.value) {
            case (2, .bytes(let range)): characterMap = Array(bytes[range])
            case (3, .integer(let value)): addsSpace = value != 0
            case (4, .integer(let value)): removesExtraSpaces = value != 0
            case (5, .integer(let value)): escapesSpaces = value != 0
            default: break
            }
        }
    }

    private static func piece(
        _ bytes: [UInt8], _ range: Range<Int>, _ id: Int, _ file: String
    ) throws(TokenizerError) -> Piece {
        var piece = Piece(text: "", score: 0, type: 1)
        var message = ProtobufReader(bytes, range, file: file)
        while let field = try message.next() {
            switch (field.number, field.value) {
            case (1, .bytes(let range)):
                guard let text = String(validating: bytes[range], as: UTF8.self) else {
                    throw TokenizerError(
                        file: file, key: "pieces[\(id)]", found: "bytes that are not UTF-8", expected: "text")
                }
                piece.text = text
            case (2, .bits(let bits)):
                piece.score = Float(bitPattern: bits)
                if !piece.score.isFinite {
                    throw TokenizerError(
                        file: file, key: "pieces[\(id)].score", found: "\(piece.score)", expected: "a finite number")
                }
            case (3, .integer(let value)): piece.type = Int(truncatingIfNeeded: value)
            default: break
            }
        }
        return piece
    }
}

enum ExactText {
    /// By bytes: `==` on strings takes in canonical equivalence.
    static func equal(_ a: String, _ b: String) -> Bool { a.utf8.elementsEqual(b.utf8) }
}
