extension Cut {
    /// The cut that a regular expression of a `tokenizer.json` stands for. Expressions are known by their text, not
    /// understood: each has its scanner, and there are no others.
    ///
    /// - Parameter text: line ends in it may be written as such or with a backslash.
    init?(regularExpression text: String) {
        var spelled = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\r": spelled += "\\r"
            case "\n": spelled += "\\n"
            default: spelled.unicodeScalars.append(scalar)
            }
        }
        if let cut = Self.knownPatterns[spelled] { self = cut } else { return nil }
    }

    private static let knownPatterns: [String: Cut] = {
        var known: [String: Cut] = [
            #"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"#: .pattern(.classic),
            #"'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+"#: .caseless,
            #"\p{N}"#: .runs(RunPattern(members: .numbers, maximum: 1)),
            #"\p{N}+"#: .runs(RunPattern(members: .numbers)),
            #"\p{N}{1,3}"#: .runs(RunPattern(members: .numbers, maximum: 3)),
            #"[0-9][0-9][0-9]"#: .runs(RunPattern(members: .asciiDigits, minimum: 3, maximum: 3)),
            #"[\r\n]"#: .runs(RunPattern(members: .lineEnds, maximum: 1)),
            #"\s?\p{L}+"#: .runs(RunPattern(members: .letters, front: .whiteSpace)),
            #"\s?\p{P}+"#: .runs(RunPattern(members: .punctuation, front: .whiteSpace)),
            #"\s?["# + RunPattern.casedLettersText + "]+": .runs(
                RunPattern(members: .casedLetters, front: .whiteSpace)),
            #"\s?[!-/:-~！-／：-～‘-‟　-。]+"#: .runs(RunPattern(members: .listedMarks, front: .whiteSpace)),
            #"\s+$"#: .trailingSpace,
            "[一-龥ࠀ-一가-\u{D7FF}]+": .runs(RunPattern(members: .eastAsian)),
            #"[一-龥぀-ゟ゠-ヿ]+"#: .runs(RunPattern(members: .chinese)),
            #" ?[^(\s|[.,!?…。，、।۔،])]+"#: .runs(RunPattern(members: .betweenStops, front: .space)),
            #" ?[^(\s|.,!?…。，、।۔،)]+"#: .runs(RunPattern(members: .betweenStops, front: .space)),
        ]

        let contractions = #"(?i:'s|'t|'re|'ve|'m|'ll|'d)"#
        let spaces = #"|\s*[\r\n]+|\s+(?!\S)|\s+"#
        // What a word may be, what the symbols exclude, and the letters that come to.
        let letters = [
            (#"\p{L}+"#, #"\p{L}\p{N}"#, CharacterClass.letter),
            (#"[\p{L}\p{M}]+"#, #"\p{L}\p{M}\p{N}"#, CharacterClass.letter | CharacterClass.mark),
        ]
        let numbers = [(#"\p{N}"#, 1), (#"\p{N}{1}"#, 1), (#"\p{N}{1,3}"#, 3)]
        for (front, kind) in [(contractions + "|", SplitPattern.Contractions.anyCase), ("", .none)] {
            for (word, excluded, flags) in letters {
                for (number, limit) in numbers {
                    let start = front + #"[^\r\n\p{L}\p{N}]?"# + word + "|" + number + #"| ?[^\s"# + excluded
                    var pattern = SplitPattern(contractions: kind, letters: flags, digitLimit: limit)
                    known[start + #"]+[\r\n]*"# + spaces] = .pattern(pattern)
                    pattern.symbolTail = .nothing
                    known[start + #"\r\n]+"# + spaces] = .pattern(pattern)
                }
            }
        }

        let prefix = #"[^\r\n\p{L}\p{N}]?"#
        let capital = #"[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]"#
        let small = #"[\p{Ll}\p{Lm}\p{Lo}\p{M}]"#
        for (behind, casing) in [("", SplitPattern.Casing.alone), (contractions + "?", .withContractions)] {
            for (number, limit) in numbers {
                let words = "\(prefix)\(capital)*\(small)+\(behind)|\(prefix)\(capital)+\(small)*\(behind)|"
                known[words + number + #"| ?[^\s\p{L}\p{N}]+[\r\n/]*"# + spaces] = .pattern(
                    SplitPattern(
                        contractions: .none, casing: casing, digitLimit: limit, symbolTail: .lineEndsAndSlashes))
            }
        }

        let marked =
            ##"[!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+"##
        known[marked + #"[\r\n]*"# + spaces] = .marked(MarkedPattern(joinsLineEnds: true))
        known[marked + #"|[\r\n]|\s+(?!\S)|\s+"#] = .marked(MarkedPattern(joinsLineEnds: false))
        return known
    }()

    /// Whether its pieces and nothing between them make up the text, so that keeping them alone loses nothing.
    var coversText: Bool { if case .pattern = self { true } else { false } }
}
