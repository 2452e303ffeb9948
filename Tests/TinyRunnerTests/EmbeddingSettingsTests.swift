import Testing
import TinyLayers
import TinyLoader
import TinyModels
import TinyTensor
import TinyTestSupport

@testable import TinyRunner

@Suite("What files say of vectors")
struct EmbeddingSettingsTests {
    private static let modules = """
        [{"idx": 0, "name": "0", "path": "", "type": "sentence_transformers.models.Transformer"},
         {"idx": 1, "name": "1", "path": "1_Pooling", "type": "sentence_transformers.models.Pooling"}
        """

    /// - Parameter modules: what follows the first two in `modules.json`.
    private func settings(
        pooling: String, modules: String = "]", _ files: [String: String] = [:]
    ) throws -> EmbeddingSettings {
        let folder = TemporaryFolder()
        for name in ["config.json", "model.safetensors"] {
            folder.copy(Fixtures.path("bert-model/" + name), as: name)
        }
        folder.write("modules.json", Self.modules + modules)
        folder.makeFolder("1_Pooling")
        folder.write("1_Pooling/config.json", pooling)
        for (name, text) in files { folder.write(name, text) }
        return try EmbeddingSettings(Model(at: folder.path, precision: .exact, threads: 1))
    }

    @Test func everyPoolingIsReadByItsOldAndItsNewName() throws {
        let names: [(String, String, Pooling)] = [
            ("pooling_mode_cls_token", "cls", .first), ("pooling_mode_max_tokens", "max", .maximum),
            ("pooling_mode_mean_tokens", "mean", .mean),
            ("pooling_mode_mean_sqrt_len_tokens", "mean_sqrt_len_tokens", .meanOfRoot),
            ("pooling_mode_weightedmean_tokens", "weightedmean", .weightedMean),
            ("pooling_mode_lasttoken", "lasttoken", .last),
        ]
        for (old, new, pooling) in names {
            #expect(try settings(pooling: "{\"\(old)\": true}").source == .states([pooling]))
            #expect(try settings(pooling: "{\"pooling_mode\": \"\(new)\"}").source == .states([pooling]))
        }
        let several = try settings(
            pooling:
                "{\"pooling_mode_lasttoken\": true, \"pooling_mode_cls_token\": true, \"pooling_mode_max_tokens\": false}"
        )
        #expect(several.source == .states([.first, .last]) && several.assumptions.isEmpty && !several.normalizes)
    }

    @Test func limitPromptsAndLengthAreRead() throws {
        let result = try settings(
            pooling: "{\"pooling_mode_mean_tokens\": true, \"include_prompt\": false}",
            modules: ", {\"path\": \"2_Normalize\", \"type\": \"sentence_transformers.models.Normalize\"}]",
            [
                "sentence_bert_config.json": "{\"max_seq_length\": 9, \"do_lower_case\": true}",
                "config_sentence_transformers.json":
                    "{\"prompts\": {\"query\": \"query: \", \"document\": \"\"}, \"default_prompt_name\": \"query\"}",
                "tokenizer_config.json": "{\"model_max_length\": 7, \"truncation_side\": \"left\"}",
            ])
        #expect(result.normalizes && result.tokenLimit == 9 && result.lowercases && result.cutsBeginning)
        #expect(result.prompts == ["query": "query: ", "document": ""] && result.defaultPrompt == "query")
        #expect(!result.includesPrompt)
    }

    @Test func whatIsNotSupportedIsRefusedByName() throws {
        func message(_ body: () throws -> EmbeddingSettings) -> String {
            do {
                _ = try body()
                return "nothing was thrown"
            } catch { return "\(error)" }
        }
        let mean = "{\"pooling_mode_mean_tokens\": true}"
        let dense = ", {\"path\": \"2_Dense\", \"type\": \"sentence_transformers.models.Dense\"}]"
        #expect(message { try settings(pooling: mean, modules: dense) }.contains("models.Dense"))
        #expect(message { try settings(pooling: "{\"pooling_mode\": \"median\"}") }.contains("\"median\""))
        #expect(message { try settings(pooling: "{\"pooling_mode_best\": true}") }.contains("pooling_mode_best"))
        #expect(message { try settings(pooling: mean, modules: "") }.contains("modules.json"))
        #expect(
            message { try settings(pooling: mean, ["sentence_bert_config.json": "{\"max_seq_length\": 0}"]) }
                .contains("max_seq_length"))
        #expect(
            message {
                try settings(
                    pooling: mean, ["config_sentence_transformers.json": "{\"default_prompt_name\": \"none\"}"])
            }.contains("default_prompt_name"))
    }

    @Test func filesThatSayNothingLeaveADefault() throws {
        let encoder = try EmbeddingSettings(Model(at: Fixtures.path("bert-model"), precision: .exact, threads: 1))
        #expect(encoder.source == .states([.mean]) && encoder.normalizes && encoder.assumptions.count == 1)
        let towers = try EmbeddingSettings(Model(at: Fixtures.path("clip-default"), precision: .exact, threads: 1))
        #expect(towers.source == .modelsPooler && towers.assumptions.isEmpty)
    }
}
