// Ends with status 1 if a text is not what its tokens decode to, or if a stream of them says something else than decoding
// at once. For byte-level vocabularies, which lose nothing. A program and not a test, as a hundred thousand texts want a
// release build.
//
//     swift build -c release --product RoundTripCheck && .build/release/RoundTripCheck 25000 FILE...

import TinyModels
import TinyTestSupport
import TinyTokenizer

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

guard CommandLine.arguments.count > 2, let count = Int(CommandLine.arguments[1]), count > 0 else {
    print("the number of texts and at least one file with a vocabulary are expected")
    exit(64)
}

func stream(_ tokens: [Int], _ tokenizer: Tokenizer) -> String {
    var stream = TextStream(tokenizer)
    return tokens.map { stream.append($0) }.joined() + stream.finish()
}

var bad = 0
for file in CommandLine.arguments.dropFirst(2) {
    let tokenizer = try Tokenizer(at: file)
    var texts = RandomTexts(seed: 7)
    for _ in 0..<count {
        let text = texts.next()
        let tokens = tokenizer.encode(text)
        if try tokenizer.decode(tokens) == text && stream(tokens, tokenizer) == text { continue }
        print("\(file): \(text.debugDescription) comes back as \(try tokenizer.decode(tokens).debugDescription)")
        bad += 1
    }
    // Ids at random seldom are whole characters; a stream still says what decoding at once does.
    for _ in 0..<count / 4 {
        let tokens = (0..<texts.below(24)).map { _ in texts.below(tokenizer.count) }.filter {
            tokenizer.bytes(of: $0) != nil
        }
        if try tokenizer.decode(tokens) == stream(tokens, tokenizer) { continue }
        print("\(file): the stream of \(tokens) differs from their text")
        bad += 1
    }
    print("\(file): \(count) texts, \(count / 4) lists of tokens")
    if bad > 10 { break }
}
exit(bad == 0 ? 0 : 1)
