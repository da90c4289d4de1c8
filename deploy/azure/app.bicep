// The program, as an app that runs all the time (the daemon) or as a job that runs by a schedule. Deploy foundation.bicep first:
// its output "app" has the values of five parameters. app.example.bicepparam is a file to copy.
targetScope = 'resourceGroup'

@description('Beginning of the names of all resources.')
@minLength(2)
@maxLength(10)
param name string = 'als'

@description('Region of all resources.')
param location string = resourceGroup().location

@description('The image, such as example.azurecr.io/azure-lattice-sync:0.1.0.')
param image string

@description('Host of the registry to which the identity signs in, such as example.azurecr.io. Empty: no sign-in.')
param registryServer string = ''

@description('daemon: runs all the time, every 45 minutes from start to start, with dashboard. job: one run at each time of schedule.')
@allowed(['daemon', 'job'])
param mode string = 'daemon'

@description('Cron expression of a job, in UTC. Cron cannot say "every 45 minutes".')
param schedule string = '7,37 * * * *'

@description('Daemons that run at a time. One works, by a lease in the database; the others wait.')
@minValue(1)
@maxValue(10)
param replicas int = 1

@description('Whether the dashboard can be reached from the virtual network. It always asks for the token in the secret "http".')
param dashboard bool = false

@description('The configuration: the text of azure-lattice-sync.yaml, without secrets.')
param configuration string

@description('Name of the identity that foundation.bicep made.')
param identityName string

@description('Name of the vault that foundation.bicep made. It must contain the secrets "lattice" (the API key) and "http" (the token of dashboard and API).')
param vaultName string

@description('Name of the workspace for logs that foundation.bicep made.')
param workspaceName string

@description('Id of the subnet "apps" that foundation.bicep made.')
param subnetId string

@description('Host of the database server that foundation.bicep made.')
param databaseHost string

var port = 9464
var secretsFolder = '/run/secrets/azure-lattice-sync'
var isDaemon = mode == 'daemon'

resource identity 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' existing = {
  name: identityName
}

resource vault 'Microsoft.KeyVault/vaults@2024-11-01' existing = {
  name: vaultName
}

resource workspace 'Microsoft.OperationalInsights/workspaces@2025-07-01' existing = {
  name: workspaceName
}

resource environment 'Microsoft.App/managedEnvironments@2025-07-01' = {
  name: '${name}-environment'
  location: location
  properties: {
    appLogsConfiguration: {
      destination: 'log-analytics'
      logAnalyticsConfiguration: {
        customerId: workspace.properties.customerId
        sharedKey: workspace.listKeys().primarySharedKey
      }
    }
    // No public address.
    vnetConfiguration: { internal: true, infrastructureSubnetId: subnetId }
    workloadProfiles: [
      { name: 'Consumption', workloadProfileType: 'Consumption' }
    ]
  }
}

var registries = empty(registryServer) ? [] : [
  { server: registryServer, identity: identity.id }
]

var secrets = [
  // Not secret, but a volume of secrets is the only way to a file.
  { name: 'configuration', value: configuration }
  { name: 'lattice', keyVaultUrl: '${vault.properties.vaultUri}secrets/lattice', identity: identity.id }
  { name: 'http', keyVaultUrl: '${vault.properties.vaultUri}secrets/http', identity: identity.id }
]

var volumes = [
  {
    name: 'secrets'
    storageType: 'Secret'
    secrets: [
      { secretRef: 'configuration', path: 'azure-lattice-sync.yaml' }
      { secretRef: 'lattice', path: 'lattice' }
      { secretRef: 'http', path: 'http' }
    ]
  }
]

var volumeMounts = [
  { volumeName: 'secrets', mountPath: secretsFolder }
]

var variables = [
  { name: 'ALS_CONFIG', value: '${secretsFolder}/azure-lattice-sync.yaml' }
  { name: 'ALS_HTTP_TOKEN_FILE', value: '${secretsFolder}/http' }
  // No password: with state.signIn: entra the identity signs in with a token.
  { name: 'ALS_STATE_URL', value: 'postgres://${uriComponent(identity.name)}@${databaseHost}/als?sslmode=verify-full' }
  { name: 'AZURE_CLIENT_ID', value: identity.properties.clientId }
  { name: 'AZURE_TENANT_ID', value: tenant().tenantId }
  // A changed secret alone starts no new revision; this does.
  { name: 'CONFIGURATION_HASH', value: uniqueString(configuration) }
  { name: 'LATTICE_API_KEY_FILE', value: '${secretsFolder}/lattice' }
]

// /readyz is not used: it says whether cycles end well, but the dashboard is needed most when they do not.
var health = { path: '/healthz', port: port, scheme: 'HTTP' }

resource app 'Microsoft.App/containerApps@2025-07-01' = if (isDaemon) {
  name: name
  location: location
  identity: { type: 'UserAssigned', userAssignedIdentities: { '${identity.id}': {} } }
  properties: {
    environmentId: environment.id
    workloadProfileName: 'Consumption'
    configuration: {
      // A new revision starts before the old one stops; the lease in the database lets one of them work.
      activeRevisionsMode: 'Single'
      ingress: dashboard
        ? { external: true, targetPort: port, transport: 'http', allowInsecure: false, stickySessions: { affinity: 'sticky' } }
        : null
      registries: registries
      secrets: secrets
    }
    template: {
      terminationGracePeriodSeconds: 30
      containers: [
        {
          name: 'azure-lattice-sync'
          image: image
          args: ['daemon', '--listen', '0.0.0.0:${port}']
          env: variables
          resources: { cpu: json('0.5'), memory: '1Gi' }
          volumeMounts: volumeMounts
          probes: [
            { type: 'Startup', httpGet: health, periodSeconds: 2, failureThreshold: 30 }
            { type: 'Liveness', httpGet: health, periodSeconds: 30, timeoutSeconds: 5 }
            { type: 'Readiness', httpGet: health, periodSeconds: 10, timeoutSeconds: 5 }
          ]
        }
      ]
      // Never zero: the schedule is the daemon's own.
      scale: { minReplicas: replicas, maxReplicas: replicas }
      volumes: volumes
    }
  }
}

resource job 'Microsoft.App/jobs@2025-07-01' = if (!isDaemon) {
  name: name
  location: location
  identity: { type: 'UserAssigned', userAssignedIdentities: { '${identity.id}': {} } }
  properties: {
    environmentId: environment.id
    workloadProfileName: 'Consumption'
    configuration: {
      triggerType: 'Schedule'
      scheduleTriggerConfig: { cronExpression: schedule, parallelism: 1, replicaCompletionCount: 1 }
      // The next run is the retry.
      replicaRetryLimit: 0
      replicaTimeout: 14400
      registries: registries
      secrets: secrets
    }
    template: {
      containers: [
        {
          name: 'azure-lattice-sync'
          image: image
          // Exit code 3 (held by the guard) and 4 (some people failed) mark the run as failed, so that someone looks.
          args: ['sync']
          env: variables
          resources: { cpu: json('0.5'), memory: '1Gi' }
          volumeMounts: volumeMounts
        }
      ]
      volumes: volumes
    }
  }
}

@description('Host of the dashboard in the virtual network; put it into http.publicUrl. It needs a private DNS zone for the environment, or your own name.')
output dashboardHost string = isDaemon && dashboard ? app!.properties.configuration.ingress.fqdn : ''

@description('Address of the environment in the virtual network, for that DNS zone.')
output environmentAddress string = environment.properties.staticIp

@description('Domain of the environment, the name of that DNS zone.')
output environmentDomain string = environment.properties.defaultDomain
