import Foundation
import Testing
import TinyJSON
import TinyLayers
import TinyLoader
import TinyModels
import TinyTestSupport

/// One change to a published configuration.
struct ChangedFile: Sendable, CustomTestStringConvertible {
    let file: String
    let key: String
    /// JSON; nil takes the key out.
    let value: String?

    init(_ file: String, _ key: String, _ value: String?) { (self.file, self.key, self.value) = (file, key, value) }

    var testDescription: String { "\(file) \(key) = \(value ?? "missing")" }

    func spec() throws -> ModelSpec {
        let data = try #require(FileManager.default.contents(atPath: Fixtures.path("published/" + file + ".json")))
        var object = try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
        object[key] = try value.map {
            try JSONSerialization.jsonObject(with: Data($0.utf8), options: .fragmentsAllowed)
        }
        let json = try JSONSerialization.data(withJSONObject: object)
        return try readSpec(String(decoding: json, as: UTF8.self)).spec
    }
}

/// What a recipe does not support is refused by name, in whatever family.
@Suite("Published configurations with a change")
struct RefusedFilesTests {
    static let changes: [ChangedFile] = [
        ChangedFile("falcon-7b", "apply_residual_connection_post_layernorm", "true"),
        ChangedFile("falcon-7b", "num_ln_in_parallel_attn", "2"),
        ChangedFile("falcon-11B", "num_ln_in_parallel_attn", "3"), ChangedFile("falcon-40b", "parallel_attn", "false"),
        ChangedFile("falcon-40b", "num_kv_heads", "7"), ChangedFile("falcon-7b", "activation", "\"swiglu\""),
        ChangedFile("Baichuan-7B", "max_position_embeddings", nil),
        ChangedFile("Baichuan-7B", "num_key_value_heads", "8"),
        ChangedFile("Qwen-7B", "seq_length", nil), ChangedFile("Qwen-72B-Chat", "rope_theta", "10000"),
        ChangedFile("Qwen-7B", "rotary_emb_base", "1"), ChangedFile("Qwen-7B-Chat-first", "activation", "\"gelu\""),
        ChangedFile("Qwen-7B-Chat-first", "pos_emb", "\"learned\""),
        ChangedFile("Qwen-7B-Chat-first", "apply_residual_connection_post_layernorm", "true"),
        ChangedFile("internlm-20b", "rotary", #"{"type": "linear", "base": 10000}"#),
        ChangedFile("internlm-20b", "rotary", #"{"type": "dynamic", "scaling_factor": 0.5}"#),
        ChangedFile("internlm-20b", "num_key_value_heads", "8"),
        ChangedFile("internlm2-7b", "rope_scaling", #"{"type": "longrope", "factor": 2}"#),
        ChangedFile("opt-125m", "scale_embeddings", "true"), ChangedFile("opt-125m", "learned_embeddings", "false"),
        ChangedFile("opt-125m", "activation_function", "\"gelu_10\""),
        ChangedFile("bloomz-560m", "n_inner", "1000"), ChangedFile("codegen-350M-mono", "rotary_dim", nil),
        ChangedFile("codegen-350M-mono", "rotary_dim", "7"), ChangedFile("codegen-350M-mono", "rotary_dim", "66"),
        ChangedFile("codegen-350M-mono", "n_head", "2"), ChangedFile("pythia-1b", "rotary_pct", "0"),
        ChangedFile("pythia-1b", "rotary_emb_base", "0"),
    ]

    @Test(arguments: changes) func refused(_ change: ChangedFile) {
        let error = #expect(throws: ModelError.self) { _ = try change.spec() }
        let message = "\(error.map { "\($0)" } ?? "")"
        // Some keys are named by the newer spelling, or by the one they contradict.
        let others = [
            "num_kv_heads": "num_attention_heads", "num_ln_in_parallel_attn": "new_decoder_architecture",
            "parallel_attn": "new_decoder_architecture", "rotary_pct": "partial_rotary_factor",
            "rotary_emb_base": "rope_theta", "activation": "activation",
        ]
        #expect(message.contains(change.key) || others[change.key].map(message.contains) == true, "\(message)")
    }

    /// What no key says outright.
    @Test func told() throws {
        func spec(_ file: String) throws -> ModelSpec { try ChangedFile(file, "note", nil).spec() }
        for (file, isLarge, isSecond) in [
            ("Baichuan-7B", false, false), ("Baichuan-13B-Base", true, false), ("Baichuan-13B-Chat", true, false),
            ("Baichuan2-7B-Base", false, true), ("Baichuan2-7B-Chat", false, true), ("Baichuan2-13B", true, true),
        ] {
            let model = try spec(file)
            #expect((model.layers[0].attention.rotary == nil) == isLarge, "\(file)")
            #expect((model.layers[0].attention.bias != .none) == isLarge, "\(file)")
            #expect(model.head?.unitRows == isSecond, "\(file)")
        }
        for (file, heads, norms) in [
            ("falcon-7b", 1, 1), ("falcon-7b-RefinedWebModel", 1, 1), ("falcon-40b", 8, 2),
            ("falcon-40b-RefinedWeb", 8, 2), ("falcon-11B", 8, 1),
        ] {
            let layer = try spec(file).layers[0]
            #expect(layer.attention.keyValueHeads == heads, "\(file)")
            guard case .parallel(_, let second) = layer.wiring else { throw Unexpected("\(layer.wiring)") }
            #expect((second != nil) == (norms == 2), "\(file)")
        }
        guard case .roundedLinear(let slopes, let factor) = try spec("falcon-rw-1b").layers[0].attention.bias else {
            throw Unexpected("no slopes")
        }
        #expect(slopes.count == 32 && slopes.last == 1 / 256 && factor == 0.125)
    }

    /// Press et al. 2021; for 40 heads the rest are every other one of 64.
    @Test func slopes() {
        #expect(PositionBias.slopes(heads: 8) == (1...8).map { 1 / Float(1 << $0) })
        #expect(PositionBias.slopes(heads: 1) == [1 / 256])
        let slopes = PositionBias.slopes(heads: 40)
        #expect(slopes.count == 40 && slopes[3] == 0.5 && slopes[31] == 1 / 256)
        for (i, slope) in slopes[32...].enumerated() {
            #expect(abs(slope - Float(exp2(-Double(2 * i + 1) / 8))) < 1e-7)
        }
    }
}
