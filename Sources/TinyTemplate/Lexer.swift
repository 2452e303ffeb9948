/// Cuts a template into tokens, and applies the rules for white space, so that nobody after it has to know them.
///
///     template = { text | "{{" tokens "}}" | "{%" tokens "%}" | "{#" anything "#}" | "{% raw %}" anything "{% endraw %}" }
///
/// The rules are those of `trim_blocks` and `lstrip_blocks`, which chat templates are written for: the line break after
/// a statement or comment goes, and so do blanks before it if nothing else stands on its line. `-` inside a tag's
/// bracket takes all white space on its side, `+` keeps it. One line break at the template's end goes.
struct Lexer {
    private var source: [Unicode.Scalar]
    private var position = 0
    private var line = 1
    private var tokens: [Token] = []
    /// Whether what was read last ended a line (or nothing was read yet).
    private var atLineStart = true

    static func tokens(of source: String) throws(TemplateError) -> [Token] {
        var lexer = Lexer(source)
        try lexer.run()
        return lexer.tokens
    }

    private init(_ source: String) {
        var scalars: [Unicode.Scalar] = []
        scalars.reserveCapacity(source.utf8.count)
        for scalar in source.unicodeScalars {
            if scalar == "\n", scalars.last == "\r" { scalars.removeLast() }
            scalars.append(scalar)
        }
        for index in scalars.indices where scalars[index] == "\r" { scalars[index] = "\n" }
        if scalars.last == "\n" { scalars.removeLast() }
        self.source = scalars
    }

    // MARK: Outside of tags

    private enum Tag { case expression, statement, comment }

    private mutating func run() throws(TemplateError) {
        while position < source.count {
            let start = position
            guard let tag = findTag() else {
                addData(source[start...])
                position = source.count
                break
            }
            let sign = scalar(at: position + 2)
            let text = source[start..<position]
            addData(trimmed(text, before: tag, sign: sign))
            line += text.count { $0 == "\n" }
            position += sign == "-" || sign == "+" ? 3 : 2
            switch tag {
            case .comment: try skipComment()
            case .expression: try expression()
            case .statement: if try !raw() { try statement() }
            }
            atLineStart = source[position - 1] == "\n"
        }
        add(.end)
    }

    /// Moves to the next tag.
    private mutating func findTag() -> Tag? {
        while position + 1 < source.count {
            if source[position] == "{" {
                switch source[position + 1] {
                case "{": return .expression
                case "%": return .statement
                case "#": return .comment
                default: break
                }
            }
            position += 1
        }
        return nil
    }

    private func trimmed(_ text: ArraySlice<Unicode.Scalar>, before tag: Tag, sign: Unicode.Scalar?) -> ArraySlice<
        Unicode.Scalar
    > {
        if sign == "-" {
            let end = text.lastIndex { !$0.isPythonSpace }.map { $0 + 1 } ?? text.startIndex
            return text[..<end]
        }
        if sign == "+" || tag == .expression { return text }
        let lineBreak = text.lastIndex(of: "\n")
        let lineStart = lineBreak.map { $0 + 1 } ?? text.startIndex
        guard lineBreak != nil || atLineStart, text[lineStart...].allSatisfy(\.isPythonSpace) else { return text }
        return text[..<lineStart]
    }

    private mutating func skipComment() throws(TemplateError) {
        let start = position
        while !follows("#}") {
            if position >= source.count { throw .syntax("a comment is not closed", line: line) }
            position += 1
        }
        let sign = position > start ? source[position - 1] : nil
        line += source[start..<position].count { $0 == "\n" }
        position += 2
        skipSpace(after: sign, takesLineBreak: true)
    }

    /// White space after a tag that ended with `sign`.
    private mutating func skipSpace(after sign: Unicode.Scalar?, takesLineBreak: Bool) {
        if sign == "-" {
            while let next = scalar(at: position), next.isPythonSpace { advance() }
        } else if sign != "+", takesLineBreak, scalar(at: position) == "\n" {
            advance()
        }
    }

    /// `{% raw %}…{% endraw %}`, whose inside is text whatever it looks like; false if another statement stands here.
    private mutating func raw() throws(TemplateError) -> Bool {
        let start = (position, line)
        func word(_ word: String, _ lexer: inout Lexer) -> Bool {
            while let next = lexer.scalar(at: lexer.position), next.isPythonSpace { lexer.advance() }
            guard lexer.follows(word) else { return false }
            lexer.position += word.unicodeScalars.count
            while let next = lexer.scalar(at: lexer.position), next.isPythonSpace { lexer.advance() }
            return true
        }
        guard word("raw", &self), follows("%}") || follows("-%}") else {
            (position, line) = start
            return false
        }
        let sign = source[position]
        position += sign == "-" ? 3 : 2
        skipSpace(after: sign, takesLineBreak: false)
        atLineStart = source[position - 1] == "\n"
        let inside = position
        let firstLine = line
        while position < source.count {
            if follows("{%") {
                let end = (position, line)
                let sign = scalar(at: position + 2)
                position += sign == "-" || sign == "+" ? 3 : 2
                if word("endraw", &self), follows("%}") || follows("-%}") || follows("+%}") {
                    let text = trimmed(source[inside..<end.0], before: .statement, sign: sign)
                    tokens.append(Token(kind: .data(Text(text.map { Letter($0) })), line: firstLine))
                    let closing = source[position]
                    position += closing == "%" ? 2 : 3
                    skipSpace(after: closing, takesLineBreak: true)
                    return true
                }
                (position, line) = end
            }
            advance()
        }
        throw .syntax("'raw' is not closed", line: start.1)
    }

    // MARK: Inside of tags

    private mutating func expression() throws(TemplateError) {
        add(.expressionStart)
        try inside { lexer in
            guard lexer.follows("}}") || lexer.follows("-}}") else { return false }
            let sign = lexer.source[lexer.position]
            lexer.add(.expressionEnd)
            lexer.position += sign == "-" ? 3 : 2
            lexer.skipSpace(after: sign, takesLineBreak: false)
            return true
        }
    }

    private mutating func statement() throws(TemplateError) {
        add(.statementStart)
        try inside { lexer in
            guard lexer.follows("%}") || lexer.follows("-%}") || lexer.follows("+%}") else { return false }
            let sign = lexer.source[lexer.position]
            lexer.add(.statementEnd)
            lexer.position += sign == "%" ? 2 : 3
            lexer.skipSpace(after: sign, takesLineBreak: true)
            return true
        }
    }

    /// Tokens up to the tag's end, which only counts where no bracket is open: `{{ {'a': {}} }}`.
    private mutating func inside(_ end: (inout Lexer) -> Bool) throws(TemplateError) {
        let start = line
        var brackets: [String] = []
        while let next = scalar(at: position) {
            if next.isPythonSpace {
                advance()
            } else if brackets.isEmpty, end(&self) {
                return
            } else if next.isASCIIDigit {
                try number()
            } else if next.isNameStart {
                let first = position
                while let next = scalar(at: position), next.isNameStart || next.isASCIIDigit { position += 1 }
                add(.name(string(first)))
            } else if next == "'" || next == "\"" {
                try quoted(next)
            } else {
                let symbol = try symbol()
                switch symbol {
                case "(": brackets.append(")")
                case "[": brackets.append("]")
                case "{": brackets.append("}")
                case ")", "]", "}":
                    guard let expected = brackets.popLast() else { throw .syntax("unexpected '\(symbol)'", line: line) }
                    if symbol != expected {
                        throw .syntax("unexpected '\(symbol)', expected '\(expected)'", line: line)
                    }
                default: break
                }
                add(.symbol(symbol))
            }
        }
        throw .syntax("a tag is not closed", line: start)
    }

    private mutating func symbol() throws(TemplateError) -> String {
        for two in ["//", "**", "==", "!=", ">=", "<="] where follows(two) {
            position += 2
            return two
        }
        let one = source[position]
        guard "+-/*%~[](){}><=.:|,;".unicodeScalars.contains(one) else {
            throw .syntax("unexpected character '\(one)'", line: line)
        }
        position += 1
        return String(one)
    }

    /// A decimal number, perhaps with fraction and exponent; or `0x`, `0o`, `0b`. Underscores may stand between digits.
    private mutating func number() throws(TemplateError) {
        let start = position
        if source[position] == "0", let radix = radix(of: scalar(at: position + 1)), digit(at: position + 2, radix) {
            position += 2
            skipDigits(radix)
            guard let value = Int(string(start + 2).filter { $0 != "_" }, radix: radix) else {
                throw .limit("64-bit integers", line: line)
            }
            return add(.int(value))
        }
        skipDigits(10)
        var isFraction = false
        // After a dot digits are a subscript: in `a.0.1` there is no fraction.
        if start == 0 || source[start - 1] != "." {
            if scalar(at: position) == ".", digit(at: position + 1, 10) {
                isFraction = true
                position += 1
                skipDigits(10)
            }
            if scalar(at: position) == "e" || scalar(at: position) == "E" {
                let signed = scalar(at: position + 1) == "+" || scalar(at: position + 1) == "-"
                if digit(at: position + (signed ? 2 : 1), 10) {
                    isFraction = true
                    position += signed ? 2 : 1
                    skipDigits(10)
                }
            }
        }
        let digits = string(start).filter { $0 != "_" }
        if isFraction {
            guard let value = Double(digits) else { throw .syntax("'\(digits)' is not a number", line: line) }
            add(.double(value))
        } else {
            guard let value = Int(digits) else { throw .limit("64-bit integers", line: line) }
            add(.int(value))
        }
    }

    private func radix(of letter: Unicode.Scalar?) -> Int? {
        switch letter {
        case "x", "X": 16
        case "o", "O": 8
        case "b", "B": 2
        default: nil
        }
    }

    private func digit(at index: Int, _ radix: Int) -> Bool {
        scalar(at: index).flatMap { Int(String($0), radix: radix) } != nil
    }

    private mutating func skipDigits(_ radix: Int) {
        while digit(at: position, radix) || (scalar(at: position) == "_" && digit(at: position + 1, radix)) {
            position += 1
        }
    }

    /// A string literal, with Python's escapes; one that Python does not know stays as it is, backslash and all.
    private mutating func quoted(_ quote: Unicode.Scalar) throws(TemplateError) {
        let start = line
        var text = Text()
        position += 1
        while let next = scalar(at: position) {
            advance()
            if next == quote {
                tokens.append(Token(kind: .text(text), line: start))
                return
            }
            guard next == "\\", let escaped = scalar(at: position) else {
                text.letters.append(Letter(next))
                continue
            }
            advance()
            switch escaped {
            case "\n": break
            case "\\", "'", "\"": text.letters.append(Letter(escaped))
            case "n": text += "\n"
            case "t": text += "\t"
            case "r": text += "\r"
            case "a": text += "\u{7}"
            case "b": text += "\u{8}"
            case "f": text += "\u{C}"
            case "v": text += "\u{B}"
            case "x": text.letters.append(try code(digits: 2))
            case "u": text.letters.append(try code(digits: 4))
            case "U": text.letters.append(try code(digits: 8))
            case "N": throw .unsupported("string escape", name: "\\N", line: line)
            case "0"..."7":
                position -= 1
                var value: UInt32 = 0
                for _ in 0..<3 {
                    guard let next = scalar(at: position), "0"..."7" ~= next else { break }
                    value = value * 8 + next.value - 0x30
                    position += 1
                }
                text.letters.append(Letter(Unicode.Scalar(value) ?? "\u{FFFD}"))
            default:
                text += "\\"
                text.letters.append(Letter(escaped))
            }
        }
        throw .syntax("a string is not closed", line: start)
    }

    private mutating func code(digits: Int) throws(TemplateError) -> Letter {
        let digitsEnd = min(position + digits, source.count)
        let text = String(String.UnicodeScalarView(source[position..<digitsEnd]))
        guard text.utf8.count == digits, text.utf8.allSatisfy({ Unicode.Scalar($0).properties.isASCIIHexDigit }),
            let value = UInt32(text, radix: 16), let scalar = Unicode.Scalar(value)
        else { throw .syntax("'\(text)' in a string is not the code of a character", line: line) }
        position = digitsEnd
        return Letter(scalar)
    }

    // MARK: Letters

    private func scalar(at index: Int) -> Unicode.Scalar? { index < source.count ? source[index] : nil }

    private func follows(_ word: String) -> Bool {
        var index = position
        for letter in word.unicodeScalars {
            guard index < source.count, source[index] == letter else { return false }
            index += 1
        }
        return true
    }

    private func string(_ start: Int) -> String { String(String.UnicodeScalarView(source[start..<position])) }

    private mutating func advance() {
        if source[position] == "\n" { line += 1 }
        position += 1
    }

    private mutating func add(_ kind: Token.Kind) { tokens.append(Token(kind: kind, line: line)) }

    private mutating func addData(_ scalars: ArraySlice<Unicode.Scalar>) {
        if !scalars.isEmpty { add(.data(Text(scalars.map { Letter($0) }))) }
    }
}

extension Unicode.Scalar {
    fileprivate var isASCIIDigit: Bool { "0"..."9" ~= self }
    fileprivate var isNameStart: Bool { "a"..."z" ~= self || "A"..."Z" ~= self || self == "_" }
}
