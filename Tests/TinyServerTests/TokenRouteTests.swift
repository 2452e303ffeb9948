import Testing
import TinyJSON

@testable import TinyServer

@Suite struct TokenRouteTests {
    @Test(arguments: ["", "hello", "你好 👋\n\u{0}", "<|im_end|>"])
    func thereAndBack(_ text: String) throws {
        let test = try TestModel()
        let body = JSON.members([("content", .string(text)), ("with_pieces", true)])
        let answer = try TokenizeQuestion(try test.fields(body.written)).answer(test.served)
        let tokens = try #require(answer["tokens"]?.array)
        let pieces = tokens.flatMap { token -> [UInt8] in
            token["piece"]?.string.map { Array($0.utf8) } ?? token["piece"]?.array?.compactMap {
                $0.integer.map(UInt8.init)
            }
                ?? []
        }
        #expect(pieces == Array(text.utf8))
        let plain = try TokenizeQuestion(try test.fields(JSON.members([("content", .string(text))]).written))
        let ids = try #require(plain.answer(test.served)["tokens"])
        #expect(ids == .array(tokens.compactMap { $0["id"] }))
        let back = try DetokenizeQuestion(try test.fields(JSON.members([("tokens", ids)]).written))
        #expect(try back.answer(test.served)["content"]?.string == text)
    }

    @Test func specialTokensAreReadWhereAsked() throws {
        let test = try TestModel()
        let question = try TokenizeQuestion(try test.fields(#"{"content": "<|im_end|>", "parse_special": true}"#))
        #expect(question.answer(test.served)["tokens"] == [2])
    }

    @Test(arguments: [
        "{}", #"{"tokens": 1}"#, #"{"tokens": ["a"]}"#, #"{"tokens": [288]}"#, #"{"tokens": [-1]}"#,
        #"{"tokens": [9223372036854775807]}"#, #"{"tokens": [1], "x": 1}"#,
    ])
    func badTokens(_ body: String) throws {
        let test = try TestModel()
        #expect(throws: APIError.self) { try DetokenizeQuestion(try test.fields(body)).answer(test.served) }
    }

    @Test(arguments: ["{}", #"{"content": 1}"#, #"{"content": "a", "with_pieces": 1}"#, #"{"content": "a", "x": 1}"#])
    func badTexts(_ body: String) throws {
        let test = try TestModel()
        #expect(throws: APIError.self) { try TokenizeQuestion(try test.fields(body)) }
    }
}
