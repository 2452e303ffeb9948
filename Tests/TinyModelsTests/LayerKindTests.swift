import Testing
import TinyLayers
import TinyLoader
import TinyModels
import TinyTestSupport

/// What configurations say of single layers, and what stands for keys that they leave out.
@Suite("Kinds of layers")
struct LayerKindTests {
    private func reaches(_ changes: [String: String?], family: String) throws -> [AttentionSpec.Reach] {
        let (spec, unread) = try readSpec(tinyConfig(changes, family: family))
        #expect(unread == [])
        return spec.layers.map(\.attention.reach)
    }

    private let window = AttentionSpec.Reach.causalWindow(tokens: 7)

    /// A window that is not switched on is none, and starts at a layer if it is.
    @Test func switchedWindows() throws {
        var keys: [String: String?] = ["num_hidden_layers": "3", "sliding_window": "7", "max_window_layers": "1"]
        #expect(try reaches(keys, family: "qwen2") == [.causal, .causal, .causal])
        keys["use_sliding_window"] = "true"
        #expect(try reaches(keys, family: "qwen2") == [.causal, window, window])
        keys["layer_types"] = #"["sliding_attention", "full_attention", "sliding_attention"]"#
        #expect(try reaches(keys, family: "qwen3") == [window, .causal, window])
    }

    /// By layer, by a pattern in both spellings, and by a family's own.
    @Test func patterns() throws {
        var keys: [String: String?] = ["num_hidden_layers": "3", "sliding_window": "7"]
        #expect(try reaches(keys, family: "gemma2") == [window, .causal, window])
        #expect(try reaches(keys, family: "gemma3_text") == [window, window, window])
        for key in ["sliding_window_pattern", "_sliding_window_pattern"] {
            var keys = keys
            keys[key] = "2"
            #expect(try reaches(keys, family: "gemma3_text") == [window, .causal, window])
        }
        keys["layer_types"] = #"["full_attention", "full_attention", "sliding_attention"]"#
        #expect(try reaches(keys, family: "gemma3_text") == [.causal, .causal, window])
    }

    /// A missing key is the reference's default, a null is none.
    @Test func absentAndNull() throws {
        let absent = try readSpec(tinyConfig(family: "gemma2")).spec
        #expect(absent.layers[0].attention.headWidth == 256)
        #expect(absent.layers[0].attention.reach == .causalWindow(tokens: 4096))
        #expect(absent.layers[0].attention.scoreCap == 50 && absent.head?.cap == 30)
        let null = try readSpec(
            tinyConfig(["attn_logit_softcapping": "null", "final_logit_softcapping": "null"], family: "gemma2")
        ).spec
        #expect(null.layers[0].attention.scoreCap == nil && null.head?.cap == nil)
        #expect(try reaches(["sliding_window": nil], family: "mistral") == [.causalWindow(tokens: 4096)])
        #expect(try reaches(["sliding_window": "null"], family: "mistral") == [.causal])
    }

    /// A rotation for each kind, in the old spelling and the new one; scaling is that of layers without a window.
    @Test func rotations() throws {
        let old = try readSpec(
            tinyConfig(
                [
                    "num_hidden_layers": "2", "sliding_window_pattern": "2", "rope_theta": "5000",
                    "rope_local_base_freq": "300", "rope_scaling": #"{"rope_type": "linear", "factor": 8}"#,
                ], family: "gemma3_text"))
        let new = try readSpec(
            tinyConfig(
                [
                    "num_hidden_layers": "2", "sliding_window_pattern": "2",
                    "rope_parameters":
                        #"{"full_attention": {"rope_type": "linear", "factor": 8, "rope_theta": 5000}, "sliding_attention": {"rope_theta": 300}}"#,
                ], family: "gemma3_text"))
        #expect(old.spec == new.spec && old.unread == [] && new.unread == [])
        let rotations = old.spec.layers.compactMap(\.attention.rotary)
        #expect(rotations.map(\.base) == [300, 5000])
        #expect(rotations.map(\.scaling) == [.none, .linear(factor: 8)])
    }

    /// LongRoPE in its three spellings, its context beside the divisors or outside, its magnitude by formula or given.
    @Test(arguments: ["\"type\": \"su\"", "\"type\": \"longrope\"", "\"rope_type\": \"longrope\""])
    func divisorsByLength(_ type: String) throws {
        let divisors = #""short_factor": [1, 2, 3, 4], "long_factor": [5, 6, 7, 8]"#
        func scaling(_ more: String, _ changes: [String: String?] = [:]) throws -> RotarySpec.Scaling? {
            var changes = changes
            changes["rope_scaling"] = "{\(type), \(divisors)\(more)}"
            let (spec, unread) = try readSpec(tinyConfig(changes))
            #expect(unread == [])
            return spec.layers[0].attention.rotary?.scaling
        }
        func expected(_ context: Int, _ magnitude: Float) -> RotarySpec.Scaling {
            .byLength(
                short: [1, 2, 3, 4], long: [5, 6, 7, 8], originalContext: context, magnitude: Double(magnitude))
        }
        // √(1 + ln 4 / ln 16)
        #expect(try scaling(#", "original_max_position_embeddings": 16"#) == expected(16, Float(1.5.squareRoot())))
        #expect(try scaling("", ["original_max_position_embeddings": "16"]) == expected(16, Float(1.5.squareRoot())))
        #expect(try scaling(#", "attention_factor": 1.25"#) == expected(64, 1.25))
        #expect(try scaling("") == expected(64, 1))
    }

    /// A base that is stretched once and for all is called dynamic by its makers.
    @Test func stretchedBase() throws {
        let (spec, unread) = try readSpec(
            tinyConfig(
                ["rope_scaling": #"{"type": "dynamic", "alpha": 8, "factor": 1, "beta_fast": 32, "mscale": 1}"#],
                family: "hunyuan_v1_dense"))
        #expect(unread == [])
        let rotary = try #require(spec.layers[0].attention.rotary)
        #expect(rotary.scaling == .none)
        #expect(rotary.base == 160_000)  // 10⁴ · 8^(8 / 6) = 10⁴ · 2⁴
    }

    /// A nested configuration is read as its own, under its own name.
    @Test func nestedConfiguration() throws {
        let text = tinyConfig(["mystery": "1"], family: "gemma3_text")
        let (spec, unread) = try readSpec(#"{"model_type": "gemma3", "text_config": \#(text), "vision_config": {}}"#)
        #expect(unread == ["text_config.mystery"])
        #expect(spec.width == 16 && spec.head?.weight == .tied)
    }
}
