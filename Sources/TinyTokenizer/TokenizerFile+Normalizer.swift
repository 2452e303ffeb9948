internal import TinyJSON

extension Normalizer {
    /// A file's `normalizer`.
    init(_ root: inout FileSection) throws(TokenizerError) {
        self = .none
        guard var section = try root.optionalSection("normalizer") else { return }
        var growth = TextGrowth()
        try read(&section, &growth)
    }

    private mutating func read(_ section: inout FileSection, _ growth: inout TextGrowth) throws(TokenizerError) {
        switch try section.string("type") {
        case "Sequence":
            for var step in try section.sections("normalizers") { try read(&step, &growth) }
        case "NFC": steps.append(.form(.composed))
        case "NFD": steps.append(.form(.decomposed))
        case "NFKC": steps.append(.form(.compatiblyComposed))
        case "NFKD": steps.append(.form(.compatiblyDecomposed))
        case "Lowercase": steps.append(.lowercase)
        case "StripAccents": steps.append(.stripAccents)
        case "BertNormalizer": steps.append(.wordPieces(try Self.wordPieces(&section)))
        case "Prepend": steps.append(.prepend(Array(try section.string("prepend").utf8)))
        case "Replace": steps.append(try Self.replace(&section, &growth))
        case "Strip":
            steps.append(
                .strip(
                    left: try section.bool("strip_left", default: true),
                    right: try section.bool("strip_right", default: true)))
        case "Precompiled":
            // Some files have an empty one, which changes nothing.
            if let text = try section.optionalString("precompiled_charsmap"), !text.isEmpty {
                guard let bytes = Base64.decoded(text.utf8), let map = CharacterMap(bytes) else {
                    throw section.error(
                        "precompiled_charsmap", "\(text.utf8.count) characters", "base 64 of a trie and its texts")
                }
                try growth.add(map.longestText, for: 1, section, "precompiled_charsmap")
                steps.append(.map(map))
            }
        case let type:
            throw section.error(
                "type", quoted(type),
                "Sequence, NFC, NFD, NFKC, NFKD, Lowercase, StripAccents, BertNormalizer, Prepend, Replace, Strip or "
                    + "Precompiled; others are not supported")
        }
        try section.finish()
    }

    private static func wordPieces(_ section: inout FileSection) throws(TokenizerError) -> WordPieceNormalizer {
        let lowercases = try section.bool("lowercase", default: true)
        return WordPieceNormalizer(
            cleansText: try section.bool("clean_text", default: true),
            isolatesChinese: try section.bool("handle_chinese_chars", default: true),
            stripsAccents: try section.bool("strip_accents", default: lowercases), lowercases: lowercases)
    }

    private static func replace(
        _ section: inout FileSection, _ growth: inout TextGrowth
    ) throws(TokenizerError) -> Step {
        let content = Array(try section.string("content").utf8)
        var pattern = try section.section("pattern")
        let literal = try pattern.optionalString("String")
        let expression = try pattern.optionalString("Regex")
        try pattern.finish()
        try growth.add(content.count, for: literal?.utf8.count ?? 1, section, "content")
        switch (literal, expression) {
        case (let literal?, nil): return .replace(Array(literal.utf8), with: content)
        case (nil, #"\s+"#): return .replaceSpaces(onlyBlanks: false, minimum: 1, with: content)
        case (nil, " {2,}"): return .replaceSpaces(onlyBlanks: true, minimum: 2, with: content)
        case (nil, " +"): return .replaceSpaces(onlyBlanks: true, minimum: 1, with: content)
        case (nil, let text?):
            throw pattern.error("Regex", quoted(text), #""\s+", " {2,}" or " +"; others are not supported"#)
        default: throw section.error("pattern", "not one text", "a String or a Regex")
        }
    }
}
