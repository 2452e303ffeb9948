import Testing
import TinyJSON

@testable import TinyServer

@Suite("The document of the interface")
struct OpenAPITests {
    private func document() throws -> JSONValue {
        JSONValue(OpenAPIDocument(model: try TalkingModel().served, needsKey: true).json)
    }

    @Test func tellsEveryRoute() throws {
        let document = try document()
        #expect(document["openapi"].string == "3.1.0")
        #expect(document["paths"].keys == Route.allCases.map(\.rawValue))
        for route in Route.allCases {
            for method in route.methods.map({ $0.lowercased() }) {
                let operation = document["paths", route.rawValue, method]
                #expect(operation["responses", "200", "description"].string != nil, "\(method) \(route)")
                #expect(operation["requestBody"].isThere == (method == "post"))
            }
        }
        #expect(document["paths", "/health", "get", "security"].count == 0)
    }

    @Test func operationsHaveNamesOfTheirOwn() throws {
        let document = try document()
        let names = Route.allCases.flatMap { route in
            route.methods.map { document["paths", route.rawValue, $0.lowercased(), "operationId"].string }
        }
        #expect(!names.contains(nil) && Set(names).count == names.count)
    }

    /// Every schema that something speaks of is there.
    @Test func referencesLeadSomewhere() throws {
        let document = try document()
        var found: [String] = []
        func search(_ value: JSON) {
            switch value {
            case .array(let items): items.forEach(search)
            case .object(let object):
                if case .string(let reference)? = object["$ref"] { found.append(reference) }
                object.values.forEach(search)
            default: break
            }
        }
        search(try #require(document.json))
        let prefix = "#/components/schemas/"
        let names = Set(document["components", "schemas"].keys)
        #expect(Set(found.map { String($0.dropFirst(prefix.count)) }) == names)
        #expect(found.allSatisfy { $0.hasPrefix(prefix) })
    }

    /// What the document says is allowed and forbidden, the reader of requests allows and refuses.
    @Test func limitsAreTheReaders() throws {
        let properties = try document()["components", "schemas", "ChatRequest", "properties"]
        for (name, lowest, highest) in [
            ("temperature", 0.0, 2.0), ("top_p", 0, 1), ("presence_penalty", -2, 2), ("top_k", -1, 1_000_000),
            ("n", 1, 128), ("min_p", 0, 1), ("repetition_penalty", 0.01, 100),
        ] {
            #expect(
                properties[name, "minimum"].double == lowest && properties[name, "maximum"].double == highest, "\(name)"
            )
            for (value, isAllowed) in [(lowest, true), (highest, true), (lowest - 1, false), (highest + 1, false)] {
                let body = #"{"messages": [{"role": "user", "content": "a"}], "\#(name)": \#(value)}"#
                let exchange = Result { try ChatExchange(FieldReader(body: Array(body.utf8))) }
                #expect(((try? exchange.get()) != nil) == isAllowed, "\(name) \(value)")
            }
        }
    }
}
